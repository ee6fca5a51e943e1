extension RaftNode {
    /// Walks everything; traps on what must never be. For the simulator, after each step.
    public func checkInvariants() {
        log.checkInvariants()
        storage.checkInvariants()
        precondition(log.last.term <= term, "log \(log.last) beyond term \(term)")
        precondition(committed <= log.last.index, "committed \(committed), log \(log.last)")
        precondition(applied <= applying && applying <= committed, "applied \(applied) of \(applying) of \(committed)")
        precondition(storage.handed == log.last.index, "handed \(storage.handed), log \(log.last)")
        precondition(log.changes.allSatisfy { $0.index > committed }, "a committed change is not in effect")
        precondition(log.changes.count <= 1, "two changes at once")
        precondition(
            configurationIndex <= max(storage.committedHanded, applied), "change at \(configurationIndex) is not synced"
        )
        precondition(held.allSatisfy { $0.write > storage.acknowledged }, "a message is held for nothing")
        if restoring == nil {
            precondition(applying <= storage.durable, "applying \(applying), durable \(storage.durable)")
            precondition(log.base.index <= applied, "compacted \(log.base), applied \(applied)")
        }
        checkConfiguration()
        switch role {
        case .follower: precondition(leader != id, "a follower of itself")
        case .preCandidate: precondition(leader == nil, "a candidate with a leader")
        case .candidate: precondition(vote == id && leader == nil, "a candidate votes for itself")
        case .leader(let state): check(state)
        }
    }

    private func checkConfiguration() {
        for list in [
            configuration.voters, configuration.outgoing, configuration.learners, configuration.learnersNext,
        ] {
            precondition(zip(list, list.dropFirst()).allSatisfy { $0 < $1 }, "members out of order: \(list)")
        }
        let learners = Set(configuration.learners)
        precondition(learners.isDisjoint(with: configuration.voters), "a voter is a learner: \(configuration)")
        precondition(learners.isDisjoint(with: configuration.outgoing), "a voter is a learner: \(configuration)")
        precondition(
            Set(configuration.learnersNext).isSubset(of: configuration.outgoing), "learners to be: \(configuration)")
        precondition(configuration.isJoint || !configuration.autoLeave, "nothing to leave: \(configuration)")
    }

    private func check(_ state: LeaderState) {
        precondition(leader == id && state.first <= log.last.index, "leader \(String(describing: leader))")
        precondition(state.progress.map(\.member) == configuration.members, "progress of others than the members")
        precondition(state.quorumMatch <= committed || log.term(at: state.quorumMatch) != term, "commit is late")
        for progress in state.progress {
            precondition(progress.match < progress.next, "match \(progress.match), next \(progress.next)")
            precondition(progress.next <= log.last.index + 1, "next \(progress.next), log \(log.last)")
            precondition(
                progress.inflights.count <= options.inflightMax, "in flight \(progress.inflights.count)")
            if progress.member == id { precondition(progress.match == storage.durable, "own match") }
            precondition(progress.state == .replicate || progress.inflights.count == 0, "in flight while probing")
        }
    }
}
