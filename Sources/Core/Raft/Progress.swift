/// What a leader knows of one member.
struct Progress: Sendable {
    enum State: Hashable, Sendable {
        /// The end of the member's log is not known: one message at a time.
        case probe
        /// Messages follow each other without waiting for answers; `next` runs ahead.
        case replicate
        /// What it needs is compacted. Nil until the snapshot is prepared.
        case snapshot(through: LogIndex?)
    }

    let member: MemberID
    /// In the (incoming) majority; in the outgoing one of a joint configuration. Neither: a learner.
    var isVoter = false
    var isOutgoing = false

    /// Known to be durable there. Invariant: `match < next`.
    private(set) var match = LogIndex.zero
    private(set) var next: LogIndex
    private(set) var state = State.probe
    /// No entries until an answer to the last message, or to a heartbeat.
    private(set) var isPaused = false
    private(set) var inflights = Inflights()
    /// The highest commit index sent that the member can have taken over.
    private(set) var committedSent = LogIndex.zero
    /// How far the member says it knows the log to be committed, and will after a power cut.
    var committed = LogIndex.zero
    /// Heard from since the last look at the quorum.
    var isActive: Bool
    /// Was when the quorum was looked at.
    private(set) var wasActive = false
    /// Last heartbeat round answered.
    var round: UInt64 = 0
    /// Entries for it are being fetched from the durable log.
    var read: LogRead?
    private var batches = BatchWindow()
    /// Snapshots in a row that came to nothing.
    private var snapshotFailures = 0
    /// The tick before which no further snapshot is offered.
    private(set) var snapshotDue: UInt64 = 0

    init(member: MemberID, next: LogIndex, isActive: Bool) {
        self.member = member
        self.next = next
        self.isActive = isActive
    }

    /// Takes note of a batch of proposals. False: it has been here before, or may have been.
    mutating func admit(_ batch: BatchID) -> Bool { batches.admit(batch) }

    var isSnapshot: Bool {
        if case .snapshot = state { true } else { false }
    }
}

extension Progress {
    /// This is the leader itself: what its own disk holds.
    mutating func setDurable(_ index: LogIndex, round: UInt64) {
        match = index
        next = index + 1
        state = .replicate
        isActive = true
        self.round = round
    }

    /// The member's log agrees through `index`. Tells whether anything is new.
    mutating func accept(through index: LogIndex) -> Bool {
        let isNews = index > match
        match = max(match, index)
        next = max(next, match + 1)
        inflights.free(through: index)
        if isNews { isPaused = false }
        return isNews
    }

    /// The member does not have the entry at `index`; `possible` is where agreement may begin. False: an old answer.
    mutating func reject(at index: LogIndex, possible: LogIndex) -> Bool {
        switch state {
        case .replicate:
            // Durable there already: the answer was overtaken.
            guard index > match else { return false }
            becomeProbe(next: match + 1)
            return true
        case .probe:
            guard index + 1 == next else { return false }
            next = max(min(index, possible + 1), match + 1)
            isPaused = false
            read = nil
            committedSent = min(committedSent, next - 1)
            return true
        case .snapshot:
            return false
        }
    }

    /// Accounts for a message with entries through `last`, or without any.
    mutating func sent(through last: LogIndex?, bytes: Int, committed: LogIndex, options: RaftOptions) {
        switch state {
        case .replicate:
            if let last {
                next = last + 1
                inflights.add(last: last, bytes: bytes)
            }
            // At the bound this message counts as a probe: without pausing, lost messages could stall it for ever.
            isPaused = isFull(options)
        case .probe:
            if last != nil { isPaused = true }
        case .snapshot:
            preconditionFailure("append to \(member), which needs a snapshot")
        }
        committedSent = max(committedSent, min(committed, last ?? (next - 1)))
    }

    func isFull(_ options: RaftOptions) -> Bool {
        inflights.count >= options.inflightMax || inflights.bytes >= options.inflightBytesMax || gathers(options)
    }

    /// No majority waits for a learner, so it gets few messages and not early ones: while the last one that had all there
    /// was is on its way, what comes after it gathers (Nagle's algorithm, RFC 896). One that is far behind gets long
    /// messages, and those follow each other.
    private func gathers(_ options: RaftOptions) -> Bool {
        guard !isVoter, !isOutgoing, let bytes = inflights.newestBytes else { return false }
        return bytes < options.messageBytesMax / 2
    }

    /// It could learn of a later commit index.
    func canLearn(_ committed: LogIndex) -> Bool {
        committed > committedSent && committedSent < next - 1
    }

    mutating func becomeProbe(next: LogIndex) {
        state = .probe
        self.next = max(next, match + 1)
        isPaused = false
        inflights.removeAll()
        read = nil
        committedSent = min(committedSent, self.next - 1)
    }

    mutating func becomeReplicate() {
        state = .replicate
        snapshotFailures = 0
        next = match + 1
        isPaused = false
        inflights.removeAll()
        read = nil
    }

    mutating func becomeSnapshot(through index: LogIndex?) {
        state = .snapshot(through: index)
        isPaused = false
        inflights.removeAll()
        read = nil
    }

    /// What became of the snapshot decides when the next one may be offered: a member that cannot take it (its disk is
    /// full, it reads another format, pieces arrive damaged) most likely cannot a moment later either, and each try pins
    /// the store and may carry all of it over.
    mutating func snapshotEnded(_ outcome: SnapshotOutcome, now: UInt64, options: RaftOptions) {
        if outcome != .failed { snapshotFailures = 0 }
        guard outcome != .delivered else { return }
        // 20 doublings are beyond any bound.
        let pause = min(options.heartbeatTicks << min(snapshotFailures, 20), options.snapshotPauseTicksMax)
        snapshotFailures += 1
        snapshotDue = now + UInt64(pause)
    }

    /// The quorum was looked at: what is heard from here on counts for the next time.
    mutating func beginCensus() {
        wasActive = isActive
        isActive = false
    }

    /// The entry after which the log must go on for this member; nil when it is out of touch.
    var neededAfter: LogIndex? {
        switch state {
        case .probe, .replicate: isActive || wasActive ? match : nil
        case .snapshot(let through): through
        }
    }

    /// An answer to a heartbeat shows that the way is open: one more message may go.
    mutating func resume() { isPaused = false }

    /// Waits for the next answer.
    mutating func pause() { isPaused = true }
}
