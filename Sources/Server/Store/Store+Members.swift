package import StrakeModel
internal import StrakeRaft
internal import StrakeStateMachine
internal import Synchronization

extension Store {
    /// The members as this one has applied it, by id.
    package var members: [MemberAttributes] { cluster.members }

    /// The same, each with whether it only learns.
    package var memberList: [(attributes: MemberAttributes, isLearner: Bool)] {
        let cluster = cluster
        return cluster.members.map { ($0, cluster.isLearner($0.id)) }
    }

    package func isLearner(_ member: UInt64) -> Bool { cluster.isLearner(member) }

    /// This member does not vote. Costs a load.
    package var isLearner: Bool { gauges.isLearner.load(ordering: .relaxed) }

    /// Some member leads, as far as this one knows.
    package var hasLeader: Bool { gauges.leader.load(ordering: .relaxed) != 0 }

    /// This member leads, as far as it knows.
    package var isLeader: Bool { gauges.leader.load(ordering: .relaxed) == memberID }

    /// Members that answer each other just now, this one included.
    package var membersInTouch: Int { links.steady(for: 0, now: MonotonicClock.milliseconds).count + 1 }

    /// The state machine has applied a change of the members, or begins with some.
    func membersChanged() {
        // One thread after the other looks and tells, or an older list could follow a newer one.
        telling.withLock { _ in
            tellOfMembers()
            tellOfAlarms()
        }
    }

    /// The state machine has applied an alarm.
    func alarmsChanged() {
        telling.withLock { _ in tellOfAlarms() }
    }

    private func tellOfMembers() {
        let own = memberID
        let cluster = cluster
        let ids = Set(cluster.configuration.members.map(\.rawValue))
        var isLearner = cluster.isLearner(own)
        var urls: [UInt64: [String]] = [:]
        if ids.contains(own) {
            lifecycle.join()
            departure.withLock { $0.join() }
        } else if lifecycle.hasJoined {
            departure.withLock { $0.applied(now: MonotonicClock.milliseconds) }
        } else if let joining = options.joining {
            // What is applied is from before this member was added: others may have been added in between.
            urls = joining.peerURLs
            isLearner = joining.isLearner
        } else if ids.isEmpty {
            // Started again before it got anything of the cluster, it does not know what it was added as. A learner promises
            // less.
            isLearner = true
        }
        gauges.isLearner.store(isLearner, ordering: .relaxed)
        for member in cluster.members where ids.contains(member.id) { urls[member.id] = member.peerURLs }
        urls[own] = nil
        let peers = urls.sorted { $0.key < $1.key }.map { Peer(id: MemberID(rawValue: $0.key), urls: $0.value) }
        transport?.update(peers)
        links.update(peers.map(\.id))
    }
}
