internal import StrakeLeases
internal import StrakeMVCC
internal import StrakeModel
internal import StrakeRaft
internal import StrakeReplication
internal import StrakeStateMachine

// Clients' requests, as the server's sessions take them to the store and back.
extension RunningMember {
    /// Requests that come from the member itself.
    static let ownTarget: Int32 = -1

    func receive(_ request: ClientRequest) {
        let origin = RequestOrigin(target: Int32(request.client), token: request.number)
        // It serves nobody but who asks for less than the newest (etcd's rule).
        if machine.isLearner(owner.id.rawValue) { return answer(request, .refused(leader: nil)) }
        switch request.body {
        case .get(let key, let revision):
            if servesAtOnce { return answerGet(request, key, at: revision) }
            reads[request.number] = request
            step { replica, output in replica.read(origin, into: &output) }
        case .keepAlive:
            reads[request.number] = request
            step { replica, output in replica.read(origin, into: &output) }
        case .change(let command): propose(command, origin)
        case .watch(let stream, let from): openWatch(stream, of: request.client, from: from)
        case .progress(let stream): requestProgress(of: stream)
        case .unwatch(let stream): closeWatch(stream)
        }
    }

    /// Only with a bug that was planted: a read is answered without a word from the others.
    private var servesAtOnce: Bool {
        switch world.plan.flaw {
        case .readOnFollower: true
        case .readAsOldLeader: replica.isLeader
        default: false
        }
    }

    func propose(_ command: Command, _ origin: RequestOrigin?) {
        // A client's proposal has its request's number, so that it is known again in every member's log.
        let isClients = origin.map { $0.target != Self.ownTarget } ?? false
        let name = isClients ? origin?.token : nil
        let data = command.encoded(ProposalID(rawValue: name ?? world.nextRequest()))
        step { replica, output in replica.propose([(data, origin)], into: &output) }
    }

    /// The read may be served now.
    func serve(_ number: UInt64) {
        guard let request = reads.removeValue(forKey: number) else { return }
        switch request.body {
        case .get(let key, let revision): answerGet(request, key, at: revision)
        case .keepAlive(let lease): keepAlive(lease, for: request)
        case .change, .watch, .progress, .unwatch: preconditionFailure("\(request.body) waits for no read")
        }
    }

    private func answerGet(_ request: ClientRequest, _ key: [UInt8], at wanted: Int64) {
        do throws(MVCCError) {
            let (found, revision) = try reader.withView { view throws(MVCCError) in
                (try view.keyValue(key, at: wanted), view.revision)
            }
            answer(request, .read(found, revision: revision))
        } catch {
            guard case .refused = error else { return world.referee.fail(.opens, "m\(number) cannot read: \(error)") }
            answer(request, .refused(leader: number))
        }
    }

    func answer(_ request: ClientRequest, _ body: ClientAnswer.Body) {
        world.answer(ClientAnswer(client: request.client, number: request.number, body: body))
    }

    /// What became of a proposal.
    func deliver(_ outcome: Outcome, revision: Int64, to origin: RequestOrigin) {
        if origin.target == Self.ownTarget {
            expiries[origin.token] = nil
            if publishing == origin.token { publishing = nil }
            return
        }
        if renewed(origin.token) { return }
        world.answer(
            ClientAnswer(
                client: Int(origin.target), number: origin.token, body: .applied(outcome, revision: revision)))
    }

    func fail(_ failure: Failure) {
        let token = failure.origin.token
        if failure.origin.target == Self.ownTarget { return expiryFailed(token, failure.reason) }
        renewals[token] = nil
        let wasRead = reads.removeValue(forKey: token) != nil
        let body: ClientAnswer.Body
        switch failure.reason {
        case .noLeader, .notLeader, .overloaded, .leaderChanged, .neverProposed, .configurationBusy,
            .configurationInvalid:
            body = .refused(leader: replica.node.leader.map { Int($0.rawValue) })
        case .timedOut, .timedOutLeaderFailed, .timedOutDisconnected, .stopped:
            body = wasRead ? .refused(leader: replica.node.leader.map { Int($0.rawValue) }) : .lost
        }
        world.answer(ClientAnswer(client: Int(failure.origin.target), number: token, body: body))
    }
}
