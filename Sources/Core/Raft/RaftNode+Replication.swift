// A leader sends (Raft §5.3). Entries leave in parallel to the leader's own write of them (thesis §10.2.1).
extension RaftNode {
    enum Emptiness {
        /// Nothing is sent where there are no entries to send.
        case skip
        /// A message without entries still carries the commit index, or finds out what the member has.
        case send
    }

    mutating func broadcastAppend(into effects: inout [Effect]) {
        for place in role.leading.progress.indices where role.leading.progress[place].member != id {
            sendSnapshotOrAppend(at: place, emptiness: .send, into: &effects)
        }
    }

    mutating func broadcastHeartbeat(into effects: inout [Effect]) {
        let round = role.leading.reads.round
        for place in role.leading.progress.indices where role.leading.progress[place].member != id {
            let progress = role.leading.progress[place]
            // The member may hold something else beyond what it is known to match.
            let heartbeat = Message.Heartbeat(committed: min(progress.match, committed), round: round)
            send(.heartbeat(heartbeat), to: progress.member, into: &effects)
        }
    }

    /// Sends what the member lacks, one message. True if something was sent.
    @discardableResult
    mutating func sendSnapshotOrAppend(
        at place: Int, emptiness: Emptiness = .send, into effects: inout [Effect]
    ) -> Bool {
        let progress = role.leading.progress[place]
        guard !progress.isSnapshot, !progress.isPaused, progress.read == nil else { return false }
        guard let previousTerm = log.term(at: progress.next - 1) else {
            requestSnapshot(at: place, into: &effects)
            return false
        }
        var entries: [Entry] = []
        // A full pipeline still gets empty messages: if all that is in flight was lost, one of them finds out.
        if progress.next <= log.last.index, !(progress.state == .replicate && progress.isFull(options)) {
            guard log.isCached(progress.next) else {
                requestRead(at: place, into: &effects)
                return false
            }
            entries = log.entries(from: progress.next, through: log.last.index, bytesMax: options.messageBytesMax)
        }
        if entries.isEmpty && emptiness == .skip { return false }
        let previous = EntryID(term: previousTerm, index: progress.next - 1)
        append(entries, after: previous, at: place, into: &effects)
        return true
    }

    private mutating func append(
        _ entries: [Entry], after previous: EntryID, at place: Int, into effects: inout [Effect]
    ) {
        let bytes = entries.reduce(0) { $0 + $1.bytes }
        let committed = committed
        let options = options
        role.leading.progress[place].sent(
            through: entries.last?.index, bytes: bytes, committed: committed, options: options)
        let body = Message.Append(previous: previous, entries: entries, committed: committed)
        send(.append(body), to: role.leading.progress[place].member, into: &effects)
    }

    private mutating func requestRead(at place: Int, into effects: inout [Effect]) {
        let progress = role.leading.progress[place]
        let read = LogRead(
            purpose: .member(progress.member), from: progress.next, through: log.cachedFirst - 1,
            bytesMax: options.messageBytesMax)
        role.leading.progress[place].read = read
        effects.append(.readLog(read))
    }

    /// Entries for a slow member have come from the durable log.
    mutating func sendRead(_ entries: [Entry], at place: Int, into effects: inout [Effect]) {
        let progress = role.leading.progress[place]
        let isCurrent = entries[0].index == progress.next && entries.allSatisfy { log.holds($0.id) }
        // The read may have begun before the log was cut, in a time between two leaderships of this member.
        guard isCurrent, !progress.isPaused, !progress.isSnapshot, let term = log.term(at: progress.next - 1) else {
            sendSnapshotOrAppend(at: place, into: &effects)
            return
        }
        append(entries, after: EntryID(term: term, index: progress.next - 1), at: place, into: &effects)
        sendAll(at: place, into: &effects)
    }

    /// Sends until the member is up to date or its bounds are reached.
    mutating func sendAll(at place: Int, into effects: inout [Effect]) {
        while sendSnapshotOrAppend(at: place, emptiness: .skip, into: &effects) {}
    }

    // MARK: Snapshots

    private mutating func requestSnapshot(at place: Int, into effects: inout [Effect]) {
        // A snapshot for a member that cannot be reached would only pin the store.
        guard role.leading.progress[place].isActive, ticks >= role.leading.progress[place].snapshotDue else { return }
        role.leading.progress[place].becomeSnapshot(through: nil)
        effects.append(.prepareSnapshot(for: role.leading.progress[place].member))
    }

    mutating func snapshotPrepared(
        for member: MemberID, _ snapshot: SnapshotMetadata, into effects: inout [Effect]
    ) {
        guard role.isLeader, let place = role.leading.place(of: member),
            role.leading.progress[place].state == .snapshot(through: nil)
        else { return }
        precondition(snapshot.last.index <= committed, "snapshot at \(snapshot.last), committed \(committed)")
        guard snapshot.last.index >= log.base.index else {
            // The log was compacted beyond it meanwhile: nothing would follow it.
            return effects.append(.prepareSnapshot(for: member))
        }
        role.leading.progress[place].becomeSnapshot(through: snapshot.last.index)
        send(.snapshot(snapshot), to: member, into: &effects)
    }

    mutating func snapshotReport(_ member: MemberID, _ outcome: SnapshotOutcome) {
        guard role.isLeader, let place = role.leading.place(of: member),
            case .snapshot(let through) = role.leading.progress[place].state
        else { return }
        let next: LogIndex
        switch outcome {
        case .delivered: next = (through ?? .zero) + 1
        case .interrupted, .failed: next = .zero
        }
        role.leading.progress[place].becomeProbe(next: next)
        role.leading.progress[place].snapshotEnded(outcome, now: ticks, options: options)
        // Its answer is on the way, or a heartbeat's answer shows that it is worth another try.
        role.leading.progress[place].pause()
    }

    /// Ticks for which the member is not offered another snapshot, since the last ones came to nothing. Zero if there is
    /// no such pause.
    public func snapshotPauseTicks(of member: MemberID) -> UInt64 {
        guard role.isLeader, let place = role.leading.place(of: member) else { return 0 }
        return max(ticks, role.leading.progress[place].snapshotDue) - ticks
    }

    mutating func unreachable(_ member: MemberID) {
        guard role.isLeader, let place = role.leading.place(of: member) else { return }
        // What was sent ahead is probably lost.
        if role.leading.progress[place].state == .replicate {
            let next = role.leading.progress[place].match + 1
            role.leading.progress[place].becomeProbe(next: next)
        }
    }
}
