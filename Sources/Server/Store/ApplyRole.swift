internal import StrakeMVCC
internal import StrakeModel
internal import StrakeRaft
internal import StrakeReplication
internal import StrakeStateMachine
internal import Synchronization

/// The state machine and whose turn it is to run it. Applying is a role, not a thread: the disk's thread takes it when
/// it has nothing else to do, so that an idle put is not handed on once more.
final class ApplyRole: Sendable {
    /// Batches with more entries go to the apply thread, so that the next flush can start.
    private static let inlineEntriesMax = 64

    private struct Queue {
        var batches: [ApplyBatch] = []
        var isRunning = false
        var isClosing = false
    }

    private let queue = Mutex(Queue())
    private let bell = WorkBell()
    /// Locked by whoever has the role, and by the checkpoint to freeze and finish: never while anything waits for I/O
    /// but a page of the map.
    let machine: Mutex<StateMachine>

    init(machine: consuming sending StateMachine) {
        self.machine = Mutex(machine)
    }

    /// Gives the role a batch.
    ///
    /// - Returns: The caller should run the role itself, by `runInline`.
    func submit(_ batch: ApplyBatch, mayRunInline: Bool) -> Bool {
        let (isInline, needsThread) = queue.withLock { queue in
            queue.batches.append(batch)
            // Who has the role looks again before giving it up.
            if queue.isRunning { return (false, false) }
            guard mayRunInline, batch.entries.count <= Self.inlineEntriesMax else { return (false, true) }
            queue.isRunning = true
            return (true, false)
        }
        if needsThread { bell.ring() }
        return isInline
    }

    /// Applies what is queued until nothing is left, or the thread is needed elsewhere or what is left is long: then the
    /// apply thread takes over. Only after `submit` returned true.
    func runInline(_ body: (ApplyBatch) -> Void, isNeededElsewhere: () -> Bool) {
        while let batch = next() {
            body(batch)
            if handOver(evenIfShort: isNeededElsewhere()) { return }
        }
    }

    /// Gives the role to the apply thread, if there is something for it to do.
    private func handOver(evenIfShort: Bool) -> Bool {
        let isHandedOver = queue.withLock { queue in
            guard let next = queue.batches.first, evenIfShort || next.entries.count > Self.inlineEntriesMax else {
                return false
            }
            queue.isRunning = false
            return true
        }
        if isHandedOver { bell.ring() }
        return isHandedOver
    }

    /// The apply thread's body: runs until `close`.
    func run(_ body: (ApplyBatch) -> Void) {
        while true {
            bell.wait()
            let (takesRole, isClosing) = queue.withLock { queue in
                let takesRole = !queue.isRunning && !queue.batches.isEmpty
                if takesRole { queue.isRunning = true }
                return (takesRole, queue.isClosing)
            }
            if takesRole {
                while let batch = next() { body(batch) }
            }
            if isClosing { return }
        }
    }

    func close() {
        queue.withLock { $0.isClosing = true }
        bell.ring()
    }

    /// The next batch; without one the role is given up.
    private func next() -> ApplyBatch? {
        queue.withLock { queue in
            guard !queue.batches.isEmpty else {
                queue.isRunning = false
                return nil
            }
            return queue.batches.removeFirst()
        }
    }
}
