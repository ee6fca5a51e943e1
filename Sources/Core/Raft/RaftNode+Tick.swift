// Time: elections, heartbeats, the look at the quorum.
extension RaftNode {
    mutating func tick(into effects: inout [Effect]) {
        ticks += 1
        expireForwardedReads(into: &effects)
        if role.isLeader { tickLeader(into: &effects) } else { tickElection(into: &effects) }
        // A restart is spared the wait for the leader. Without entries to ride on, the commit index goes by itself.
        if ticks % UInt64(options.electionTicks) == 0, committed > storage.hardState.committed {
            write(hardState: hardState, entries: [], mustSync: false, into: &effects)
        }
    }

    private mutating func tickElection(into effects: inout [Effect]) {
        electionElapsed += 1
        guard electionElapsed >= electionTimeout, canCampaign else { return }
        campaign(isTransfer: false, into: &effects)
    }

    private mutating func tickLeader(into effects: inout [Effect]) {
        electionElapsed += 1
        heartbeatElapsed += 1
        handOverIfStalled(into: &effects)
        if electionElapsed >= options.electionTicks {
            electionElapsed = 0
            // A transfer that takes longer than an election has failed (thesis §3.10).
            role.leading.transferee = nil
            if options.checkQuorum, !takeQuorumCensus() {
                return becomeFollower(term: term, leader: nil, into: &effects)
            }
        }
        if heartbeatElapsed >= options.heartbeatTicks {
            heartbeatElapsed = 0
            if role.leading.reads.needsRound || role.leading.reads.isRoundOpen { beginReadRound() }
            broadcastHeartbeat(into: &effects)
            confirmReads(into: &effects)
        }
    }

    /// The own disk has not answered for long. The others may commit without it, but what they commit is applied and
    /// answered here only when it does; and who leads is asked most.
    private mutating func handOverIfStalled(into effects: inout [Effect]) {
        guard let bound = options.diskStallTicks, let since = storage.waitingSince, ticks - since >= UInt64(bound),
            role.leading.transferee == nil
        else { return }
        // Only where they can elect one of them without this member's vote, which its disk would have to keep first.
        let own = id
        let state = role.leading
        let outcome = Quorum.outcome(of: configuration) { member in
            guard member != own, let place = state.place(of: member) else { return false }
            return state.progress[place].isActive && state.progress[place].match >= committed
        }
        guard outcome == .won else { return }
        let best = state.progress.filter { $0.member != own && $0.isVoter && $0.isActive }.max { $0.match < $1.match }
        if let best { transferLeadership(to: best.member, into: &effects) }
    }

    /// Whether a majority was heard from since the last time; begins counting anew.
    private mutating func takeQuorumCensus() -> Bool {
        let own = id
        let state = role.leading
        let outcome = Quorum.outcome(of: configuration) { member in
            member == own || (state.place(of: member).map { state.progress[$0].isActive } ?? false)
        }
        for place in state.progress.indices { role.leading.progress[place].beginCensus() }
        return outcome == .won
    }

    mutating func resetElectionTimeout() {
        electionElapsed = 0
        electionTimeout = Int.random(in: options.electionTicks..<(2 * options.electionTicks), using: &random)
    }
}
