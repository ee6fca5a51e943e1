internal import StrakeLog
internal import StrakeRaft
internal import Synchronization

/// The log may begin after `last`, once it has a mark that the state machine holds everything through `checkpoint`.
struct LogTruncation: Sendable {
    var checkpoint: SnapshotMetadata
    var last: LogIndex
}

/// What the log needs done beside its appends: the next segment's zeros, and truncation.
final class Housekeeper: Sendable {
    private struct Work {
        var truncation: LogTruncation?
        var isClosing = false
    }

    private let work = Mutex(Work())
    private let bell = WorkBell()

    func wake() { bell.ring() }

    func truncate(_ truncation: LogTruncation) {
        work.withLock { $0.truncation = truncation }
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
            let (truncation, isClosing) = work.withLock { work in
                defer { work.truncation = nil }
                return (work.truncation, work.isClosing)
            }
            if isClosing { return }
            do throws(LogError) {
                if log.wantsNextSegment { try log.prepareNextSegment() }
                if let truncation {
                    try log.truncatePrefix(through: truncation.checkpoint, last: truncation.last)
                }
            } catch {
                failed(error)
            }
        }
    }
}
