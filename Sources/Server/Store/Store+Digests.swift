internal import StrakeLog
internal import StrakeModel
internal import StrakeRaft
internal import StrakeReplication
internal import StrakeStateMachine
internal import Synchronization

// Members compare what their state machines came to. The leader asks the others; who differs from the majority is named
// by the CORRUPT alarm, through the log, and takes itself out of service.
extension Store {
    private struct Standing {
        var digests: [StateDigest]
        var configuration: Configuration
        var alarms: [AlarmMember]
    }

    /// At each tick.
    func compareDigests() {
        guard let transport, digestDesk.tick() else { return }
        // Heartbeats come from this thread too: it does not wait for a long batch, but looks again at the next tick.
        let standing = applyRole.machine.withLockIfAvailable { machine in
            Standing(
                digests: machine.digests, configuration: machine.configuration, alarms: machine.alarms.raised)
        }
        guard let standing else { return }
        let others = isLeader ? standing.configuration.members.filter { $0 != identity.member } : []
        for member in digestDesk.begin(standing.digests, members: others) {
            let desk = digestDesk
            transport.ask(member, PeerRequest.digests.encoded()) { bytes in
                guard let bytes, case .digests(let digests)? = PeerAnswer(decoding: bytes) else {
                    return desk.answered(member, nil)
                }
                desk.answered(member, digests)
            }
        }
        if isLeader, others.isEmpty { tellOfAgreement(members: 0) }
        guard isLeader, var digests = digestDesk.takeNews() else { return }
        digests[identity.member] = standing.digests
        gauges.digestComparisons.add(1, ordering: .relaxed)
        let comparison = DigestComparison(of: digests, voters: standing.configuration.voters)
        judge(comparison, standing.alarms)
        if comparison.odd.isEmpty, !comparison.isSplit, !comparison.isOpen {
            tellOfAgreement(members: digests.count - 1)
        }
    }

    /// For those who have asked to hear of it.
    private func tellOfAgreement(members: Int) {
        guard let interval = options.hashCheckNoticeMilliseconds,
            digestDesk.noteAgreement(now: MonotonicClock.milliseconds, interval: interval)
        else { return }
        options.onNotice(.progress(.compared(members: members)))
    }

    private func judge(_ comparison: DigestComparison, _ alarms: [AlarmMember]) {
        for member in comparison.odd {
            raiseCorrupt(
                member.rawValue, unlessIn: alarms,
                "the store of member \(member) differs from that of the majority: raising the CORRUPT alarm for it")
        }
        if comparison.isSplit {
            // etcd's way to say that it is some member, and nobody knows which.
            raiseCorrupt(
                0, unlessIn: alarms,
                "the members' stores differ, and no majority of them agrees: raising the CORRUPT alarm for member 0")
        }
        if digestDesk.note(isOpen: comparison.isOpen) {
            options.onNotice(
                .corruption(
                    "members' stores differ; which of them is right cannot be told before more members are in touch"))
        }
    }

    private func raiseCorrupt(_ member: UInt64, unlessIn alarms: [AlarmMember], _ notice: String) {
        guard !alarms.contains(AlarmMember(member: member, alarm: AlarmMember.corrupt)) else { return }
        options.onNotice(.corruption(notice))
        let command = Command.alarm(AlarmCommand(action: .activate, member: member, alarm: AlarmMember.corrupt))
        // What cannot be proposed now is found again by the next comparison.
        let term = Term(rawValue: gauges.term.load(ordering: .relaxed))
        propose([(command.encoded(nextProposalID()), nil)], leadingIn: term)
    }

    // MARK: Quarantine

    /// The CORRUPT alarm names this member: it serves no reads and no watches, and leads no longer than it must. Costs a
    /// load.
    package var isQuarantined: Bool { gauges.isQuarantined.load(ordering: .relaxed) }

    /// A member alone is never quarantined: there is no majority that it could differ from, and nobody else to read from.
    func tellOfAlarms() {
        let own = AlarmMember(member: memberID, alarm: AlarmMember.corrupt)
        let cluster = cluster
        let isOdd = cluster.configuration.members.count > 1 && cluster.alarms.contains(own)
        let wasOdd = gauges.isQuarantined.exchange(isOdd, ordering: .relaxed)
        if isOdd == wasOdd { return }
        let id = String(memberID, radix: 16)
        options.onNotice(
            .corruption(
                isOdd
                    ? "the CORRUPT alarm names this member, \(id): its store is not what the others have. It serves no reads "
                        + "and no watches, and the cluster takes no writes before `etcdctl alarm disarm`. "
                        + options.rebuildAdvice(member: memberID)
                    : "the CORRUPT alarm of this member was disarmed: it serves again"))
    }

    /// Hands over to another voter while this member should not lead. Returns at once.
    func yieldLeadership() {
        guard isLeader, let next = successor() else { return }
        step { replica, output in
            guard replica.isLeader, replica.node.status.transferee == nil else { return }
            replica.step(.transferLeadership(to: next), into: &output)
        }
    }

    /// The voter in touch that has most of the log, if it is fit to lead.
    func successor() -> MemberID? {
        let status = replica.withLock { $0.replica.node.status }
        let reachable = members(inTouchFor: 0)
        let unfit = alarms.filter { $0.alarm == AlarmMember.corrupt }.map(\.member)
        return status.members.filter { member in
            let id = member.member.rawValue
            return member.member != identity.member && status.configuration.isVoter(member.member)
                && reachable.contains(id) && !unfit.contains(id)
        }.max { $0.match < $1.match }?.member
    }
}
