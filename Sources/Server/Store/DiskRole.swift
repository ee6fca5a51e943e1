internal import Glibc
internal import StrakeLog
internal import StrakeRaft
internal import StrakeReplication
internal import Synchronization

/// The disk's queue and its thread: everything queued is appended, then one fdatasync covers it, while the next batch
/// gathers.
final class DiskRole: Sendable {
    private struct Queue {
        var work: [DiskWork] = []
        var isClosing = false
    }

    private let queue = Mutex(Queue())
    private let bell = WorkBell()
    private let log: DurableLog
    private let gauges: StoreGauges
    /// The thread that runs the role, once it does.
    private let thread = Atomic<UInt>(0)
    /// The thread is applying, as it may while nothing waits to be written; what comes meanwhile has to wait for that.
    private let isApplying = Atomic(false)
    /// What the thread had used of a processor when it was last looked at, in nanoseconds.
    private let processorTime = Atomic<Int64>(0)
    /// What a thread uses of a processor in a tick at least that gets on with something, in nanoseconds.
    private static let progressNanoseconds: Int64 = 1_000_000

    /// No majority waits for a learner's disk: from one flush to the next it lets work gather for so long. Bounds how far
    /// its store is behind, and how often it costs the machine, and the leader, a flush and an answer.
    private static let learnerFlushNanoseconds: UInt64 = 10_000_000

    /// - Parameter gauges: Take the time and size of each write, and the time of each flush, and tell what the member is.
    init(log: DurableLog, gauges: StoreGauges) {
        self.log = log
        self.gauges = gauges
    }

    /// Queues the work in order and empties the array. The caller holds the replica's lock, which makes the order the
    /// replica's.
    ///
    /// - Returns: The disk should be woken: something in it waits for a flush.
    func enqueue(_ work: inout [DiskWork]) -> Bool {
        guard !work.isEmpty else { return false }
        let isUrgent = work.contains { item in
            switch item {
            case .write(let write): write.mustSync
            case .read, .restore: true
            }
        }
        queue.withLock { $0.work.append(contentsOf: work) }
        work.removeAll(keepingCapacity: true)
        return isUrgent
    }

    /// The caller is the disk's thread.
    var isOwnThread: Bool { thread.load(ordering: .relaxed) == UInt(pthread_self()) }

    /// Applies on the disk's thread, which does not write meanwhile.
    func whileApplying(_ body: () -> Void) {
        isApplying.store(true, ordering: .relaxed)
        body()
        isApplying.store(false, ordering: .relaxed)
    }

    /// What waits to be written waits for the disk's thread and not for the disk: the thread is applying, and has got on with
    /// it since the last call. One that stands still there, at a page of the store's file or until a checkpoint has made
    /// room, uses no processor; it does wait for a disk. Called once a tick, by one thread, and not after the disk's has
    /// been joined.
    func isHeldUpByApplying() -> Bool {
        let time = usedProcessorTime
        let before = processorTime.exchange(time, ordering: .relaxed)
        return isApplying.load(ordering: .relaxed) && time &- before >= Self.progressNanoseconds
    }

    /// In nanoseconds; only differences mean something. Where a library plays the clocks it may be below zero.
    private var usedProcessorTime: Int64 {
        var clock = clockid_t()
        var time = timespec()
        let handle = pthread_t(thread.load(ordering: .relaxed))
        guard handle != 0, pthread_getcpuclockid(handle, &clock) == 0, clock_gettime(clock, &time) == 0 else {
            return 0
        }
        return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }

    func wake() { bell.ring() }

    /// Work waits that came after what is being written now.
    var isBehind: Bool {
        queue.withLock { queue in
            queue.work.contains { if case .write(let write) = $0 { write.mustSync } else { true } }
        }
    }

    func close() {
        queue.withLock { $0.isClosing = true }
        bell.ring()
    }

    /// The thread's body: runs until `close`, and then writes what is left.
    ///
    /// - Parameters:
    ///   - persisted: Called after each flush with the number of the newest durable write.
    ///   - entriesRead: Called with the answer to a read.
    ///   - restore: Called to switch to a received snapshot, in its turn. False: the member has stopped, and nothing is
    ///     written or acknowledged any more.
    ///   - failed: Called once when the disk failed; nothing is written afterwards.
    func run(
        persisted: (UInt64) -> Void, entriesRead: (LogRead, [Entry]) -> Void, needsSegment: () -> Void,
        restore: (SnapshotMetadata) throws(LogError) -> Bool, failed: (LogError) -> Void
    ) {
        thread.store(UInt(pthread_self()), ordering: .relaxed)
        var batch: [DiskWork] = []
        var due: UInt64 = 0
        while true {
            bell.wait()
            while true {
                if gauges.isLearner.load(ordering: .relaxed) { letGather(until: &due) }
                let isClosing = queue.withLock { queue in
                    swap(&queue.work, &batch)
                    return queue.isClosing
                }
                if batch.isEmpty {
                    if isClosing { return }
                    break
                }
                do throws(LogError) {
                    guard try carryOut(batch, persisted: persisted, entriesRead: entriesRead, restore: restore) else {
                        return
                    }
                } catch {
                    failed(error)
                    return
                }
                batch.removeAll(keepingCapacity: true)
                if log.wantsNextSegment { needsSegment() }
            }
        }
    }

    /// Rests until it is time for the next flush, and says when the one after it is due.
    private func letGather(until due: inout UInt64) {
        let now = MonotonicClock.nanoseconds
        if now < due { usleep(UInt32((due - now) / 1_000)) }
        due = max(now, due) + Self.learnerFlushNanoseconds
    }

    private func carryOut(
        _ batch: [DiskWork], persisted: (UInt64) -> Void, entriesRead: (LogRead, [Entry]) -> Void,
        restore: (SnapshotMetadata) throws(LogError) -> Bool
    ) throws(LogError) -> Bool {
        var newest: UInt64?
        var mustSync = false
        var bytes = 0
        // Moved behind each read, so that what is left between it and now is writing.
        var began = MonotonicClock.nanoseconds
        for work in batch {
            switch work {
            case .write(let write):
                bytes += try log.append(entries: write.entries, hardState: write.hardState)
                newest = write.number
                mustSync = mustSync || write.mustSync
            case .restore(let snapshot, let number):
                // It replaces all that was appended, and what it leaves is durable.
                guard try restore(snapshot) else { return false }
                newest = number
            case .read(let read):
                let paused = MonotonicClock.nanoseconds
                entriesRead(read, try log.entries(for: read))
                began += MonotonicClock.nanoseconds - paused
            }
        }
        guard let newest else { return true }
        let written = MonotonicClock.nanoseconds
        gauges.logWrites.record(written - began)
        gauges.logBytes.add(UInt64(bytes), ordering: .relaxed)
        if mustSync {
            try log.sync()
            gauges.logSyncs.record(MonotonicClock.nanoseconds - written)
        }
        persisted(newest)
        return true
    }
}
