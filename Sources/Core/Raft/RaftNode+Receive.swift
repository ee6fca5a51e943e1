// Messages: first what the term says, then what the message says.
extension RaftNode {
    mutating func receive(_ message: Message, into effects: inout [Effect]) {
        // Not ours: somebody's list of addresses is wrong.
        guard message.to == id else { return }
        if message.term > term {
            guard adoptLaterTerm(of: message, into: &effects) else { return }
        } else if message.term < term {
            return answerEarlierTerm(of: message, into: &effects)
        }
        switch message.body {
        case .requestVote(let request): handle(request, message, into: &effects)
        case .vote(let answer): handle(answer, message, into: &effects)
        case .append(let append): handle(append, from: message.from, into: &effects)
        case .heartbeat(let heartbeat): handle(heartbeat, from: message.from, into: &effects)
        case .snapshot(let snapshot): handle(snapshot, from: message.from, into: &effects)
        case .appendResponse(let answer): handle(answer, from: message.from, into: &effects)
        case .heartbeatResponse(let answer): handle(answer, from: message.from, into: &effects)
        case .timeoutNow:
            guard case .follower = role else { return }
            campaign(isTransfer: true, into: &effects)
        case .propose(let proposals, let batch):
            proposeForwarded(proposals, batch, from: message.from, into: &effects)
        case .proposeRefused(let batch, let refusal):
            guard batch.session == lastBatch.session else { return }
            effects.append(.forwardedRefused(batch: batch.number, refusal))
        case .readIndex(let context): readIndex(context, for: message.from, into: &effects)
        case .readIndexResponse(let context, let index): readAnswered(context, index: index, into: &effects)
        case .transferLeadership(let member): transferLeadership(to: member, into: &effects)
        }
    }

    /// A later term makes a follower of anybody (Raft §5.1), save where a vote is only asked about. False: ignore the
    /// message.
    private mutating func adoptLaterTerm(of message: Message, into effects: inout [Effect]) -> Bool {
        switch message.body {
        case .requestVote(let request):
            // A member that hears from its leader does not let others disturb it (Raft §6, thesis §4.2.3).
            if !request.isTransfer, options.checkQuorum, leader != nil, electionElapsed < options.electionTicks {
                return false
            }
            if request.ballot == .preVote { return true }
            becomeFollower(term: message.term, leader: nil, into: &effects)
        case .vote(let answer):
            // The yes to a pre-vote speaks of the term that would be.
            if answer.ballot == .preVote && answer.granted {
                return message.term == Term(rawValue: term.rawValue + 1)
            }
            becomeFollower(term: message.term, leader: nil, into: &effects)
        case .append, .heartbeat, .snapshot:
            becomeFollower(term: message.term, leader: message.from, into: &effects)
        case .appendResponse, .heartbeatResponse, .timeoutNow, .propose, .proposeRefused, .readIndex,
            .readIndexResponse, .transferLeadership:
            becomeFollower(term: message.term, leader: nil, into: &effects)
        }
        return true
    }

    private mutating func answerEarlierTerm(of message: Message, into effects: inout [Effect]) {
        switch message.body {
        case .append, .heartbeat, .snapshot:
            // The old leader must be told of the later term, or it would neither step down nor reach this member for ever:
            // not everybody campaigns who could tell it so.
            let answer = Message.HeartbeatAnswer(round: 0, committed: committedDurably)
            send(.heartbeatResponse(answer), to: message.from, after: .vote, into: &effects)
        case .requestVote(let request):
            // A pre-candidate with an old term learns the present one, and does not ask for ever.
            refuse(request, of: message.from, into: &effects)
        case .vote(let answer):
            learnCommitted(answer.committed, into: &effects)
        case .appendResponse, .heartbeatResponse, .timeoutNow, .propose, .proposeRefused, .readIndex,
            .readIndexResponse, .transferLeadership:
            break
        }
    }

    /// An append, heartbeat or snapshot of the present term: its sender leads.
    mutating func follow(_ sender: MemberID, into effects: inout [Effect]) {
        precondition(!role.isLeader, "\(sender) leads term \(term), and so does \(id)")
        if case .follower = role, leader == sender {
            electionElapsed = 0
        } else {
            becomeFollower(term: term, leader: sender, into: &effects)
        }
    }
}
