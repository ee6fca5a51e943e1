internal import StrakeLog
internal import StrakeRaft
internal import Synchronization

/// What the log needs done beside its appends: the next segment's zeros, and truncation.
final class Housekeeper: Sendable {
    private struct Work {
        var checkpoint: SnapshotMetadata?
        var isClosing = false
    }

    private let work = Mutex(Work())
    private let bell = Doorbell()

    func wake() { bell.ring() }

    func truncate(behind checkpoint: SnapshotMetadata) {
        work.withLock { $0.checkpoint = checkpoint }
        bell.ring()
    }

    func close() {
        work.withLock { $0.isClosing = true }
        bell.ring()
    }

    /// The thread's body: runs until `close`.
    func run(log: DurableLog, failed: (LogError) -> Void) {
        while true {
            bell.wait()
            let (checkpoint, isClosing) = work.withLock { work in
                defer { work.checkpoint = nil }
                return (work.checkpoint, work.isClosing)
            }
            if isClosing { return }
            do throws(LogError) {
                if log.wantsNextSegment { try log.prepareNextSegment() }
                if let checkpoint { try log.truncatePrefix(through: checkpoint) }
            } catch {
                failed(error)
            }
        }
    }
}
