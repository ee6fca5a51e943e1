// A leader hears back and commits (Raft §5.3, §5.4.2).
extension RaftNode {
    mutating func handle(_ answer: Message.AppendAnswer, from member: MemberID, into effects: inout [Effect]) {
        guard role.isLeader, let place = role.leading.place(of: member), member != id else { return }
        hear(from: place, committed: answer.committed)
        switch answer.result {
        case .accepted(let index): accepted(through: index, at: place, into: &effects)
        case .rejected(let index, let hint):
            // Two searches back by whole terms instead of one entry at a time (Raft §5.3, end).
            let possible = log.lastPossibleMatch(through: hint.index, term: hint.term).index
            if role.leading.progress[place].reject(at: index, possible: possible) {
                sendSnapshotOrAppend(at: place, into: &effects)
            }
        }
        finishLeavingIfKnown(into: &effects)
    }

    private mutating func hear(from place: Int, committed: LogIndex) {
        role.leading.progress[place].isActive = true
        let known = role.leading.progress[place].committed
        role.leading.progress[place].committed = max(known, committed)
    }

    private mutating func accepted(through index: LogIndex, at place: Int, into effects: inout [Effect]) {
        precondition(index <= log.last.index, "accepted through \(index), log \(log.last)")
        let member = role.leading.progress[place].member
        let isNews = role.leading.progress[place].accept(through: index)
        switch role.leading.progress[place].state {
        case .probe:
            // Agreement is found.
            role.leading.progress[place].becomeReplicate()
        case .replicate:
            guard isNews else { return }
        case .snapshot:
            // It may have caught up by another way. What counts is that the log goes on from there.
            guard index >= log.base.index else { return }
            role.leading.progress[place].becomeReplicate()
        }
        advanceCommit(into: &effects)
        // The commit may have moved members in and out.
        guard role.isLeader, let place = role.leading.place(of: member) else { return }
        sendAll(at: place, into: &effects)
        if role.leading.progress[place].canLearn(committed) { sendSnapshotOrAppend(at: place, into: &effects) }
        if role.leading.transferee == member { handOverIfReady(at: place, into: &effects) }
    }

    mutating func handle(_ answer: Message.HeartbeatAnswer, from member: MemberID, into effects: inout [Effect]) {
        guard role.isLeader, let place = role.leading.place(of: member), member != id else { return }
        hear(from: place, committed: answer.committed)
        role.leading.progress[place].resume()
        let progress = role.leading.progress[place]
        role.leading.progress[place].round = max(progress.round, answer.round)
        if progress.match < log.last.index || progress.state == .probe {
            sendSnapshotOrAppend(at: place, into: &effects)
        }
        confirmReads(into: &effects)
        finishLeavingIfKnown(into: &effects)
    }

    // MARK: Commit

    /// Commits what a majority holds, as often as that moves: a configuration that comes into effect counts anew.
    mutating func advanceCommit(into effects: inout [Effect]) {
        while role.isLeader {
            let reached = role.leading.quorumMatch
            // Entries of earlier terms are not committed by counting, a later leader could still replace them (Raft
            // §5.4.2, figure 8). With one of the own term they are.
            guard reached > committed, log.term(at: reached) == term || options.flaws.contains(.commitsEarlierTerms)
            else { break }
            commitAsLeader(through: reached, into: &effects)
        }
    }

    private mutating func commitAsLeader(through index: LogIndex, into effects: inout [Effect]) {
        let isFirst = committed < role.leading.first
        role.leading.uncommitted.free(through: index)
        let oldMembers = role.leading.progress.count
        commit(through: index, into: &effects)
        guard role.isLeader else { return }
        if isFirst {
            role.leading.reads.admitEarly(index: index)
            beginReadRoundIfIdle(into: &effects)
        }
        if oldMembers > 1 || role.leading.progress.count > 1 { broadcastAppend(into: &effects) }
        leaveJointIfDue(into: &effects)
    }

    // MARK: Own entries

    /// Appends to the own log and sends on. Returns the first id.
    mutating func appendOwn(_ kind: Entry.Kind, _ data: [[UInt8]], into effects: inout [Effect]) -> EntryID {
        let first = EntryID(term: term, index: log.last.index + 1)
        var index = first.index
        log.reserve(data.count)
        for bytes in data {
            log.appendNew(Entry(id: EntryID(term: term, index: index), kind: kind, data: bytes))
            index = index + 1
        }
        if role.leading.progress.count > 1 { broadcastAppend(into: &effects) }
        return first
    }
}

extension LeaderState {
    /// The highest index that the configuration's majority, or both majorities, hold durably.
    var quorumMatch: LogIndex {
        let incoming = Quorum.committed(of: progress.lazy.filter { $0.isVoter }.map { $0.match.rawValue })
        let outgoing = Quorum.committed(of: progress.lazy.filter { $0.isOutgoing }.map { $0.match.rawValue })
        return LogIndex(rawValue: min(incoming, outgoing))
    }

    /// The highest read round that a majority has answered.
    var quorumRound: UInt64 {
        let incoming = Quorum.committed(of: progress.lazy.filter { $0.isVoter }.map { $0.round })
        let outgoing = Quorum.committed(of: progress.lazy.filter { $0.isOutgoing }.map { $0.round })
        return min(incoming, outgoing)
    }

    /// The highest commit index that a majority knows of.
    var quorumCommitted: LogIndex {
        let incoming = Quorum.committed(of: progress.lazy.filter { $0.isVoter }.map { $0.committed.rawValue })
        let outgoing = Quorum.committed(of: progress.lazy.filter { $0.isOutgoing }.map { $0.committed.rawValue })
        return LogIndex(rawValue: min(incoming, outgoing))
    }
}
