// Elections (Raft §5.2, §5.4.1), pre-votes (thesis §9.6) and the change of roles.
extension RaftNode {
    /// Only who may lead campaigns. A member that is becoming a snapshot waits for it.
    var canCampaign: Bool { configuration.isVoter(id) && restoring == nil }

    mutating func campaign(isTransfer: Bool, into effects: inout [Effect]) {
        guard !role.isLeader, canCampaign else { return }
        if options.preVote && !isTransfer {
            becomePreCandidate(into: &effects)
        } else {
            becomeCandidate(isTransfer: isTransfer, into: &effects)
        }
    }

    private mutating func becomePreCandidate(into effects: inout [Effect]) {
        role = .preCandidate([:])
        setLeader(nil, into: &effects)
        resetElectionTimeout()
        let request = Message.VoteRequest(ballot: .preVote, last: log.last, isTransfer: false)
        for member in otherVoters {
            let message = Message(
                from: id, to: member, term: Term(rawValue: term.rawValue + 1), body: .requestVote(request))
            effects.append(.send(message))
        }
        countBallot(from: id, granted: true, into: &effects)
    }

    private mutating func becomeCandidate(isTransfer: Bool, into effects: inout [Effect]) {
        adopt(term: Term(rawValue: term.rawValue + 1))
        vote = id
        role = .candidate([:])
        setLeader(nil, into: &effects)
        resetElectionTimeout()
        // After a crash this member might vote otherwise in this term, or stand in it a second time with another log:
        // nobody hears of the candidacy before it is durable, and the own vote counts no earlier.
        let request = Message.VoteRequest(ballot: .vote, last: log.last, isTransfer: isTransfer)
        for member in otherVoters { send(.requestVote(request), to: member, after: .vote, into: &effects) }
        send(.vote(.init(ballot: .vote, granted: true)), to: id, after: .vote, into: &effects)
    }

    private var otherVoters: [MemberID] {
        configuration.members.filter { $0 != id && configuration.isVoter($0) }
    }

    private mutating func countBallot(from member: MemberID, granted: Bool, into effects: inout [Effect]) {
        switch role {
        case .preCandidate(var ballots):
            ballots[member] = ballots[member] ?? granted
            role = .preCandidate(ballots)
            switch Quorum.outcome(of: configuration, answer: { ballots[$0] }) {
            case .won: becomeCandidate(isTransfer: false, into: &effects)
            case .lost: becomeFollower(term: term, leader: nil, into: &effects)
            case .pending: break
            }
        case .candidate(var ballots):
            ballots[member] = ballots[member] ?? granted
            role = .candidate(ballots)
            switch Quorum.outcome(of: configuration, answer: { ballots[$0] }) {
            case .won: becomeLeader(into: &effects)
            case .lost: becomeFollower(term: term, leader: nil, into: &effects)
            case .pending: break
            }
        case .follower, .leader:
            break
        }
    }

    /// A candidate asks. One vote a term, and only for a log that is not behind this one (Raft §5.4.1).
    mutating func handle(_ request: Message.VoteRequest, _ message: Message, into effects: inout [Effect]) {
        let isFree: Bool
        switch request.ballot {
        case .vote: isFree = vote == message.from || (vote == nil && leader == nil)
        // To ask for a later term binds nobody; for the present one the real vote's rule holds.
        case .preVote: isFree = message.term > term || vote == message.from || (vote == nil && leader == nil)
        }
        guard isFree, log.isUpToDate(request.last) else { return refuse(request, of: message.from, into: &effects) }
        let answer = Message.VoteAnswer(ballot: request.ballot, granted: true)
        switch request.ballot {
        case .preVote:
            if isOutdone(by: message, request) { becomeFollower(term: term, leader: nil, into: &effects) }
            // In the asked term, or the candidate would take the yes for an old one.
            effects.append(.send(Message(from: id, to: message.from, term: message.term, body: .vote(answer))))
        case .vote:
            vote = message.from
            electionElapsed = 0
            send(.vote(answer), to: message.from, after: .vote, into: &effects)
        }
    }

    /// Says no, and what is committed of the candidate's log. Its configuration may be the one before a change that took this
    /// member out, or others: without this it would need their votes for ever, who do not campaign themselves, if a leader
    /// that crashed as it went has left them a longer log than its own.
    mutating func refuse(_ request: Message.VoteRequest, of candidate: MemberID, into effects: inout [Effect]) {
        let shared = log.lastPossibleMatch(through: min(request.last.index, committedDurably), term: request.last.term)
        let answer = Message.VoteAnswer(ballot: request.ballot, granted: false, committed: shared)
        send(.vote(answer), to: candidate, after: .vote, into: &effects)
    }

    /// What is committed stays so in all terms, and an entry's id stands for all entries before it.
    mutating func learnCommitted(_ entry: EntryID, into effects: inout [Effect]) {
        guard !role.isLeader, log.holds(entry) else { return }
        commit(through: entry.index, into: &effects)
        if role.isCampaigning, !canCampaign { becomeFollower(term: term, leader: nil, into: &effects) }
    }

    /// Two members that miss the leader in the same moment ask each other whether they would be elected, and both are told
    /// yes, since that binds nobody; then both vote for themselves, and neither is elected before one of them has waited
    /// out another election timeout. So of two that ask at the same time for the same term one stands back: the one with
    /// the shorter log, which the other could not vote for anyhow, or else with the lower id.
    ///
    /// It is safe, since standing back is nothing but a campaign that was not begun: no vote was given away, none is
    /// refused, the answer is the one that a follower gives, and the term stays. And it does not wait for ever: it says yes
    /// to the other, so that one can only gain by it, and if that one is not elected all the same (its messages do not
    /// arrive, a majority is missing), this one campaigns again after a timeout that is drawn anew.
    ///
    /// Where messages between two members arrive in order, the yes to a pre-candidate comes behind the other's own question,
    /// so the one that is outdone has stood back before it could count it.
    private func isOutdone(by message: Message, _ request: Message.VoteRequest) -> Bool {
        guard case .preCandidate = role, configuration.isVoter(message.from),
            message.term == Term(rawValue: term.rawValue + 1)
        else { return false }
        return request.last != log.last || message.from > id
    }

    mutating func handle(_ answer: Message.VoteAnswer, _ message: Message, into effects: inout [Effect]) {
        learnCommitted(answer.committed, into: &effects)
        switch (role, answer.ballot) {
        case (.preCandidate, .preVote), (.candidate, .vote):
            countBallot(from: message.from, granted: answer.granted, into: &effects)
        case (.follower, _), (.leader, _), (.preCandidate, .vote), (.candidate, .preVote):
            break
        }
    }

    mutating func becomeFollower(term newTerm: Term, leader newLeader: MemberID?, into effects: inout [Effect]) {
        if newTerm > term { adopt(term: newTerm) }
        failReads(into: &effects)
        role = .follower
        setLeader(newLeader, into: &effects)
        resetElectionTimeout()
    }

    private mutating func adopt(term newTerm: Term) {
        term = newTerm
        vote = nil
        // What was to be said in an earlier term is of no use any more.
        held.removeAll()
    }

    mutating func setLeader(_ member: MemberID?, into effects: inout [Effect]) {
        guard member != leader else { return }
        leader = member
        failForwardedReads(into: &effects)
    }

    private mutating func becomeLeader(into effects: inout [Effect]) {
        var state = LeaderState(first: log.last.index + 1)
        for member in configuration.members {
            state.progress.append(Progress(member: member, next: state.first, isActive: true))
        }
        role = .leader(state)
        markVoters()
        setLeader(id, into: &effects)
        electionElapsed = 0
        heartbeatElapsed = 0
        // Entries of earlier terms commit only with one of the own term (Raft §5.4.2, §8).
        log.appendNew(Entry(id: EntryID(term: term, index: log.last.index + 1), kind: .empty, data: []))
        noteOwnDurable()
        broadcastAppend(into: &effects)
    }

    mutating func forgetLeader(into effects: inout [Effect]) {
        guard case .follower = role else { return }
        setLeader(nil, into: &effects)
    }
}
