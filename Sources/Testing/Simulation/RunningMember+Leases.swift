internal import StrakeLeases
internal import StrakeModel
internal import StrakeRaft
internal import StrakeReplication

// Leases, as the server's clock thread and lease service do it.
extension RunningMember {
    func expireLeases() {
        guard leases.isLeading else { return }
        let now = owner.clockMilliseconds
        let expired = leases.expired(now: now)
        // The term is the leader's whose clock it was: in a later term the entry does nothing.
        if !expired.isEmpty { proposeExpiry(of: expired) }
        let checkpoints = leases.checkpointsDue(now: now)
        if !checkpoints.isEmpty {
            proposeLeading(.leaseCheckpoint(checkpoints), nil)
        }
    }

    private func proposeExpiry(of ids: [LeaseID]) {
        let token = world.nextRequest()
        expiries[token] = ids
        proposeLeading(
            .leaseExpire(ids: ids, term: leadingTerm.rawValue), RequestOrigin(target: Self.ownTarget, token: token))
    }

    /// Only in the leadership whose clock has decided it.
    private func proposeLeading(_ command: Command, _ origin: RequestOrigin?) {
        let data = command.encoded(ProposalID(rawValue: world.nextRequest()))
        step { replica, output in replica.propose([(data, origin)], leadingIn: leadingTerm, into: &output) }
    }

    func expiryFailed(_ token: UInt64, _ reason: ReplicaFailure) {
        if publishing == token { publishing = nil }
        guard let ids = expiries.removeValue(forKey: token) else { return }
        leases.expiryFailed(ids)
        guard world.plan.flaw == .expireAsOldLeader, let leader = replica.node.leader?.rawValue,
            let other = world.member(Int(leader)).running, other !== self
        else { return }
        // The bug: what an old leader's clock said goes to the new one, as if it were its own.
        other.proposeExpiry(of: ids)
    }

    /// The leadership has been proved: its clock may answer.
    func keepAlive(_ lease: LeaseID, for request: ClientRequest) {
        switch leases.keepAlive(lease, now: owner.clockMilliseconds) {
        case .renewed(let ttl): answer(request, .keptAlive(ttlSeconds: ttl))
        case .unknown: answer(request, .leaseGone)
        case .notLeading: answer(request, .refused(leader: replica.node.leader.map { Int($0.rawValue) }))
        case .renewing(let renewal):
            renewals[request.number] = (request, renewal)
            proposeLeading(
                .leaseCheckpoint([renewal.checkpoint]),
                RequestOrigin(target: Int32(request.client), token: request.number))
        }
    }

    /// - Returns: The entry was a renewal's.
    func renewed(_ token: UInt64) -> Bool {
        guard let (request, renewal) = renewals.removeValue(forKey: token) else { return false }
        leases.renewalCommitted(renewal)
        answer(request, .keptAlive(ttlSeconds: renewal.ttl))
        return true
    }
}
