internal import StrakeMVCC
internal import StrakeModel
internal import StrakeRaft
internal import StrakeStateMachine
internal import Synchronization

/// Writes the layers to LMDB, truncates the log behind it, and frees compacted history: all of it beside the requests.
final class CheckpointRole: Sendable {
    /// While anything changes, the longest time between checkpoints: what a restart has to apply again. Syncing LMDB delays
    /// the log's sync beside it, so with one a second every hundredth put was late.
    static let intervalMilliseconds = 5_000
    /// Bytes in the active layer at which a checkpoint does not wait for its time.
    static let layerBytesDue = 32 << 20

    private let bell = Doorbell()
    private let relief = Doorbell()
    private let compactor: Compactor
    private let state = Mutex(State())
    /// Held while the thread works on the store, by who replaces it, and by who audits it: with the audit under way.
    private let working = Mutex<StoreAudit?>(nil)

    private struct State {
        var isClosing = false
        /// The newest entry that the operator knows to be in a checkpoint.
        var toldIndex: UInt64 = 0
        /// Somebody wants the thread to pause.
        var pauses = 0
        /// Answers to compactions that asked to wait for the space.
        var waiting: [(answer: Answer, target: Int32)] = []
        var compactionIsDue = true
    }

    init(compactor: Compactor) {
        self.compactor = compactor
    }

    func wake() { bell.ring() }

    /// Holds an answer back until the compaction it speaks of has freed its space.
    func answerOnceCompacted(_ answer: Answer, to target: Int32) {
        state.withLock { $0.waiting.append((answer, target)) }
    }

    func compactionRequested() {
        state.withLock { $0.compactionIsDue = true }
        bell.ring()
    }

    /// Blocks the apply role until a checkpoint has ended.
    func waitForRelief() {
        if state.withLock({ $0.isClosing }) { return }
        relief.wait()
    }

    /// Runs the body, which replaces the store, while the thread does not touch it; waits for a checkpoint under way.
    func pausing(_ body: () -> Void) {
        state.withLock { $0.pauses += 1 }
        working.withLock { audit in
            audit = nil
            body()
        }
        state.withLock { $0.pauses -= 1 }
    }

    /// Goes on with the audit under way, or begins one, between two pieces of the thread's work.
    func runAuditSlice(bytesMax: Int) throws(MVCCError) -> StoreAudit.Slice {
        try working.withLock { audit throws(MVCCError) in
            var running: StoreAudit
            if let audit { running = audit } else { running = try StateMachine.audit(compactor) }
            audit = nil
            let slice = try running.runSlice(bytesMax: bytesMax)
            if slice.progress == .unfinished { audit = running }
            return slice
        }
    }

    func close() {
        state.withLock { $0.isClosing = true }
        bell.ring()
        relief.ring()
    }

    /// The thread's body: runs until `close`, after which one last checkpoint leaves nothing to apply again.
    func run(on store: Store) {
        // An unreadable file is met again, and reported, by the first checkpoint.
        try? measure(store)
        var timer = CompactionTimer()
        var heldBack: SnapshotMetadata?
        while true {
            _ = bell.wait(milliseconds: Self.intervalMilliseconds)
            // Taken before the checkpoint: what is asked for later may concern history that it does not write.
            let (isClosing, compacts, waiting) = state.withLock { state in
                defer { state.compactionIsDue = false }
                return (state.isClosing, state.compactionIsDue, state.waiting.count)
            }
            let compactRevision = store.reader.compactRevision
            do throws(MVCCError) {
                let isCompacted = try working.withLock { audit throws(MVCCError) in
                    try checkpoint(store, &heldBack)
                    guard compacts, !isClosing else { return false }
                    return try compact(store, compactRevision, &timer, &audit)
                }
                if isCompacted {
                    // Who waits for it wants to use the room.
                    try measure(store)
                    store.deliver(takeWaiting(waiting))
                } else if compacts, !isClosing {
                    state.withLock { $0.compactionIsDue = true }
                }
            } catch {
                store.stopForGood("cannot write the store: \(error)", error)
                relief.ring()
                return
            }
            if isClosing { return }
        }
    }

    private func takeWaiting(_ count: Int) -> [(answer: Answer, target: Int32)] {
        state.withLock { state in
            defer { state.waiting.removeFirst(count) }
            return Array(state.waiting.prefix(count))
        }
    }

    /// - Parameter heldBack: the newest checkpoint, while other members still need the log before it.
    private func checkpoint(_ store: Store, _ heldBack: inout SnapshotMetadata?) throws(MVCCError) {
        let (frozen, snapshot) = store.applyRole.machine.withLock { machine in
            (machine.freeze(), machine.snapshot)
        }
        guard let work = frozen else {
            // Nothing is new, but who held the log may have caught up or gone.
            if let checkpoint = heldBack, store.truncateLog(behind: checkpoint) { heldBack = nil }
            return
        }
        let began = MonotonicClock.nanoseconds
        var commitBegan = began
        try work.run { phase in
            switch phase {
            case .begins: commitBegan = MonotonicClock.nanoseconds
            case .ended: store.gauges.checkpointCommits.record(MonotonicClock.nanoseconds - commitBegan)
            }
        }
        store.gauges.checkpointTimes.record(MonotonicClock.nanoseconds - began)
        store.applyRole.machine.withLock { $0.store.finish(work) }
        relief.ring()
        store.gauges.checkpoints.add(1, ordering: .relaxed)
        try measure(store)
        heldBack = store.truncateLog(behind: snapshot) ? nil : snapshot
        tell(of: snapshot.last.index.rawValue, store)
    }

    /// Once in a while, since there may be a checkpoint every few seconds.
    private func tell(of index: UInt64, _ store: Store) {
        let isDue = state.withLock { state in
            guard index >= state.toldIndex + store.options.checkpointNoticeEntries else { return false }
            state.toldIndex = index
            return true
        }
        if isDue { store.options.onNotice(.progress(.checkpointed(index: index))) }
    }

    private func measure(_ store: Store) throws(MVCCError) {
        let layerBytes = store.applyRole.machine.withLock { $0.store.activeBytes }
        store.gauges.layerBytes.store(layerBytes, ordering: .relaxed)
        // The reader counts the layers too; they are kept apart here, since they change with every batch.
        store.gauges.pageBytes.store(max(0, try store.reader.bytesInUse() - layerBytes), ordering: .relaxed)
        store.gauges.fileBytes.store(try store.reader.bytesTotal(), ordering: .relaxed)
    }

    /// Frees compacted history slice by slice, until a checkpoint is due.
    ///
    /// - Parameter revision: Of a compaction that the checkpoint before has written.
    /// - Returns: Nothing is left to free.
    private func compact(
        _ store: Store, _ revision: Int64, _ timer: inout CompactionTimer, _ audit: inout StoreAudit?
    ) throws(MVCCError) -> Bool {
        let options = store.options
        while !state.withLock({ $0.isClosing || $0.pauses > 0 }),
            store.gauges.layerBytes.load(ordering: .relaxed) < Self.layerBytesDue
        {
            let began = MonotonicClock.nanoseconds
            let slice = try compactor.runSlice(eventsMax: options.compactionBatchEvents)
            audit?.note(removed: slice.removed)
            if !slice.isIdle, let nanoseconds = timer.record(slice, began: began, in: store.gauges) {
                options.onNotice(.progress(.compacted(revision: revision, nanoseconds: nanoseconds)))
            }
            switch slice.progress {
            case .unfinished:
                guard options.compactionPauseMilliseconds > 0 else { continue }
                if bell.wait(milliseconds: options.compactionPauseMilliseconds) {
                    // Whoever has rung wants more than the rest of this.
                    bell.ring()
                    return false
                }
            case .held: return false
            case .finished: return true
            }
        }
        return false
    }
}
