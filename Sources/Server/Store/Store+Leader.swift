internal import StrakeLog
package import StrakeModel
internal import StrakeRaft
internal import StrakeReplication
package import StrakeStateMachine
internal import Synchronization

// What only the leader can do, asked of any member.
extension Store {
    /// How long two members must have been in touch to count as steadily so (etcd's figure), in milliseconds.
    private static let steadyMilliseconds: Int64 = 5_000

    /// Seconds that the leader has granted anew; 0 when there is no such lease.
    package func keepAlive(_ lease: LeaseID, answer: @escaping @Sendable (Result<Int64, StoreError>) -> Void) {
        askLeader(.keepAlive(lease)) { reply in
            switch reply {
            case .keptAlive(let seconds): answer(.success(seconds))
            case .refused(let error): answer(.failure(error))
            case .pong, .timeLeft, .changed, .digests, .progress: answer(.failure(.timeout))
            }
        }
    }

    /// Milliseconds that a lease has left by the leader's clock; `nil` when there is no such lease.
    package func remaining(of lease: LeaseID, answer: @escaping @Sendable (Result<Int64?, StoreError>) -> Void) {
        askLeader(.timeToLive(lease)) { reply in
            switch reply {
            case .timeLeft(let milliseconds): answer(.success(milliseconds))
            case .refused(let error): answer(.failure(error))
            case .pong, .keptAlive, .changed, .digests, .progress: answer(.failure(.timeout))
            }
        }
    }

    /// Changes who is in the cluster. Answered once this member has applied the change.
    package func change(
        _ change: MembershipChange, answer: @escaping @Sendable (Result<Void, StoreError>) -> Void
    ) {
        if case .add(_, _, let isLearner) = change {
            do throws(StoreError) {
                try membershipRules.checkReadiness(
                    toAddLearner: isLearner, steady: members(inTouchFor: Self.steadyMilliseconds))
            } catch {
                return answer(.failure(error))
            }
        }
        askLeader(.change(change)) { reply in
            switch reply {
            case .changed: answer(.success(()))
            case .refused(let error): answer(.failure(error))
            case .pong, .keptAlive, .timeLeft, .progress, .digests: answer(.failure(.timeout))
            }
        }
    }

    /// How far a member's log is, as the leader knows it.
    func progress(of member: UInt64, answer: @escaping @Sendable (Result<LogProgress, StoreError>) -> Void) {
        askLeader(.progress(member)) { reply in
            switch reply {
            case .progress(let progress): answer(.success(progress))
            case .refused(let error): answer(.failure(error))
            case .pong, .keptAlive, .timeLeft, .changed, .digests: answer(.failure(.timeout))
            }
        }
    }

    /// Hands the leadership over, if this member has it.
    package func moveLeader(to target: UInt64, answer: @escaping @Sendable (StoreError?) -> Void) {
        guard isLeader else { return answer(.notLeader) }
        let member = MemberID(rawValue: target)
        guard cluster.configuration.isVoter(member) else { return answer(.badLeaderTransferee) }
        if target == memberID { return answer(nil) }
        let deadline = MonotonicClock.milliseconds + options.requestMilliseconds
        transfers.withLock { $0.append(Transfer(target: target, deadline: deadline, answer: answer)) }
        step { replica, output in replica.step(.transferLeadership(to: member), into: &output) }
        checkTransfers()
    }

    /// A leader that stops lets the voter that has most of its log take over, so that nobody waits for an election
    /// timeout. Returns once that is done or has taken too long.
    func handOverLeadership() {
        guard isLeader, !lifecycle.isStopped else { return }
        guard let next = successor() else { return }
        let bell = Doorbell()
        moveLeader(to: next.rawValue) { _ in bell.ring() }
        _ = bell.wait(milliseconds: options.electionMilliseconds)
    }

    func checkTransfers() {
        let now = MonotonicClock.milliseconds
        let leader = gauges.leader.load(ordering: .relaxed)
        let (done, late) = transfers.withLock { transfers in
            let done = transfers.filter { $0.target == leader }
            let late = transfers.filter { $0.target != leader && $0.deadline <= now }
            transfers.removeAll { $0.target == leader || $0.deadline <= now }
            return (done, late)
        }
        for transfer in done { transfer.answer(nil) }
        for transfer in late { transfer.answer(.timeout) }
    }

    // MARK: Asking

    private func askLeader(_ request: PeerRequest, answer: @escaping @Sendable (PeerAnswer) -> Void) {
        if lifecycle.isStopped { return answer(.refused(.stopped)) }
        let deadline = MonotonicClock.milliseconds + options.requestMilliseconds
        guard let attempt = leaderCalls.add(request, deadline: deadline, answer: answer) else {
            return answer(.refused(.tooManyRequests))
        }
        ask(attempt)
    }

    func ask(_ attempt: LeaderCalls.Attempt) {
        let leader = gauges.leader.load(ordering: .relaxed)
        let (calls, number) = (leaderCalls, attempt.number)
        if leader == memberID {
            let deadline = MonotonicClock.milliseconds + options.requestMilliseconds
            desk.serve(attempt.request, by: self, deadline: deadline) { [weak self] answer in
                guard let self else { return }
                calls.answered(number, answer, applied: self.appliedIndex)
            }
        } else if leader != 0, let transport {
            transport.ask(MemberID(rawValue: leader), attempt.request.encoded()) { [weak self] bytes in
                guard let self else { return }
                calls.answered(number, bytes.flatMap { PeerAnswer(decoding: $0) }, applied: self.appliedIndex)
            }
        } else {
            calls.postpone(number)
        }
    }

    /// At most what a reader sees. Costs a load: the transport's threads must not wait for the apply role.
    var appliedIndex: UInt64 { gauges.applied.load(ordering: .relaxed) }

    /// What another member asks.
    func serve(_ request: [UInt8], answer: @escaping @Sendable ([UInt8]?) -> Void) {
        guard !lifecycle.isStopped, let request = PeerRequest(decoding: request) else { return answer(nil) }
        let deadline = MonotonicClock.milliseconds + options.requestMilliseconds
        desk.serve(request, by: self, deadline: deadline) { answer($0.encoded()) }
    }

    // MARK: Members

    enum MembersProposal {
        case proposed
        /// Something has to be applied first.
        case later
        case refused(StoreError)
    }

    /// Checks a change against what this leader has applied, and puts it into the log.
    func proposeMembers(_ change: MembershipChange, _ origin: RequestOrigin) -> MembersProposal {
        let rules = membershipRules
        let status = replica.withLock { $0.replica.node.status }
        guard status.leadership.role == .leader else { return .refused(.notLeader) }
        // One joint change at a time.
        guard status.configuration == rules.configuration, !status.configuration.isJoint else { return .later }
        let steady = members(inTouchFor: Self.steadyMilliseconds)
        let matched = status.members.map { ($0.member.rawValue, $0.match.rawValue) }
        do throws(StoreError) {
            try rules.check(
                change,
                MembershipRules.Health(
                    steady: steady, reachable: members(inTouchFor: 0),
                    matched: Dictionary(uniqueKeysWithValues: matched), leader: memberID))
        } catch {
            return .refused(error)
        }
        let proposal = change.configurationChange(nextProposalID(), members: rules.members)
        step { replica, output in
            if replica.node.configuration == rules.configuration {
                replica.propose(proposal, origin: origin, into: &output)
            } else {
                output.failures.append(Failure(origin: origin, reason: .configurationBusy))
            }
        }
        return .proposed
    }

    /// The rules for the members that this one has applied.
    private var membershipRules: MembershipRules {
        let cluster = cluster
        return MembershipRules(
            members: cluster.members, configuration: cluster.configuration, learnersMax: options.learnersMax,
            isStrict: options.strictReconfiguration)
    }

    /// This member included.
    func members(inTouchFor milliseconds: Int64) -> Set<UInt64> {
        links.steady(for: milliseconds, now: MonotonicClock.milliseconds).union([memberID])
    }

    /// Asks the others whether they are there.
    func pingPeers() {
        guard let transport else { return }
        for member in links.takeDue() {
            let links = links
            transport.ask(member, PeerRequest.ping.encoded()) { answer in
                if answer == nil {
                    links.missedAnswer(of: member)
                } else {
                    links.answered(member, now: MonotonicClock.milliseconds)
                }
            }
        }
    }
}

/// A hand-over of the leadership that somebody waits for.
struct Transfer: Sendable {
    var target: UInt64
    /// Milliseconds.
    var deadline: Int64
    var answer: @Sendable (StoreError?) -> Void
}

extension StoreOptions {
    /// A request that waits longer is answered with a timeout: 5 s and twice the election timeout, as etcd.
    var requestMilliseconds: Int64 { Int64(5_000 + 2 * electionMilliseconds) }
}
