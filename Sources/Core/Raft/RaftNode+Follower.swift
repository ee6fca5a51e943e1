// A follower's log (Raft §5.3).
extension RaftNode {
    mutating func handle(_ append: Message.Append, from sender: MemberID, into effects: inout [Effect]) {
        follow(sender, into: &effects)
        guard append.previous.index >= committed else {
            // Repeated or overtaken. What is committed agrees with every leader.
            return acceptAppend(through: committed, from: sender, into: &effects)
        }
        guard log.holds(append.previous) else {
            let hint = log.lastPossibleMatch(through: append.previous.index, term: append.previous.term)
            let answer = Message.AppendAnswer(
                result: .rejected(at: append.previous.index, hint: hint), committed: committedDurably)
            return send(.appendResponse(answer), to: sender, after: .vote, into: &effects)
        }
        store(append.entries)
        let through = append.previous.index + UInt64(append.entries.count)
        // Beyond `through` the log may still disagree with the leader's.
        commit(through: min(append.committed, through), into: &effects)
        acceptAppend(through: through, from: sender, into: &effects)
    }

    private mutating func acceptAppend(through index: LogIndex, from sender: MemberID, into effects: inout [Effect]) {
        let answer = Message.AppendAnswer(result: .accepted(through: index), committed: committedDurably)
        send(.appendResponse(answer), to: sender, after: .log(through: index), into: &effects)
    }

    /// Appends what is new. Entries are dropped only if one of them conflicts: the message may be an old one, and the
    /// log may hold more by now (Raft figure 2, AppendEntries 3).
    private mutating func store(_ entries: [Entry]) {
        guard let fresh = entries.firstIndex(where: { !log.holds($0.id) }) else { return }
        let index = entries[fresh].index
        if index <= log.last.index {
            precondition(index > committed, "conflict at \(entries[fresh].id), committed \(committed)")
            log.truncate(from: index)
            storage.truncate(from: index, lowersPending: !options.flaws.contains(.countsLateAcknowledgements))
        }
        log.reserve(entries.count - fresh)
        for entry in entries[fresh...] { log.appendNew(entry) }
    }

    mutating func handle(_ heartbeat: Message.Heartbeat, from sender: MemberID, into effects: inout [Effect]) {
        follow(sender, into: &effects)
        // The leader names no more than it knows to be here; after a crash that lost what was said to be durable, that
        // would be wrong, and must not pass unnoticed.
        precondition(heartbeat.committed <= log.last.index, "committed \(heartbeat.committed), log \(log.last)")
        commit(through: heartbeat.committed, into: &effects)
        let answer = Message.HeartbeatAnswer(round: heartbeat.round, committed: committedDurably)
        send(.heartbeatResponse(answer), to: sender, after: .vote, into: &effects)
    }

    /// Moves the commit index, and with it the configuration.
    mutating func commit(through index: LogIndex, into effects: inout [Effect]) {
        learnFromChanges(into: &effects)
        guard index > committed else { return }
        committed = index
        adoptConfigurations(into: &effects)
    }

    /// A change is appended only where the one before is committed. So of two in a log the first is committed, even if
    /// the commit index was lost in a crash.
    mutating func learnFromChanges(into effects: inout [Effect]) {
        while log.changes.count > 1 {
            committed = max(committed, log.changes[0].index)
            adoptConfigurations(into: &effects)
        }
    }

    /// Puts the committed changes into effect.
    mutating func adoptConfigurations(into effects: inout [Effect]) {
        while let pending = log.takeChange(through: committed) {
            do throws(ConfigurationError) {
                configuration = try configuration.applying(pending.change)
            } catch {
                preconditionFailure("committed change at \(pending.index) cannot be: \(error)")
            }
            configurationIndex = pending.index
            effects.append(.configurationChanged(configuration, at: pending.index))
            if role.isLeader { configurationChanged(at: pending.index, into: &effects) }
        }
    }
}
