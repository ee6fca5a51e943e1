package import StrakeModel
package import StrakeRaft

/// A change of who is in the cluster, as an operator asks for it.
package enum MembershipChange: Hashable, Sendable {
    /// The id is chosen by who asks, and new.
    case add(UInt64, peerURLs: [String], isLearner: Bool)
    case remove(UInt64)
    case update(UInt64, peerURLs: [String])
    /// Makes a voter of a learner.
    case promote(UInt64)
    /// Adds a learner that is to take a voter's place, which may be down meanwhile.
    case addReplacement(UInt64, peerURLs: [String], of: UInt64)
    /// Makes a voter of a learner and removes the voter whose place it takes, in one joint change.
    case replace(UInt64, by: UInt64)
}

extension MembershipChange {
    /// The change of the configuration that carries it out.
    ///
    /// - Parameters:
    ///   - proposal: Names it, for who waits.
    ///   - members: As they are.
    package func configurationChange(_ proposal: ProposalID, members: [MemberAttributes]) -> ConfigurationChange {
        let steps: [ConfigurationChange.Step]
        let attributes: MemberAttributes
        switch self {
        case .add(let id, let urls, let isLearner):
            let member = MemberID(rawValue: id)
            steps = [isLearner ? .addLearner(member) : .addVoter(member)]
            attributes = MemberAttributes(id: id, name: "", peerURLs: urls)
        case .remove(let id):
            steps = [.remove(MemberID(rawValue: id))]
            attributes = MemberAttributes(id: id, name: "")
        case .update(let id, let urls):
            steps = [.update(MemberID(rawValue: id))]
            attributes = MemberAttributes(id: id, name: "", peerURLs: urls)
        case .promote(let id):
            steps = [.addVoter(MemberID(rawValue: id))]
            attributes = Self.known(id, members)
        case .addReplacement(let id, let urls, _):
            steps = [.addLearner(MemberID(rawValue: id))]
            attributes = MemberAttributes(id: id, name: "", peerURLs: urls)
        case .replace(let old, let id):
            steps = [.addVoter(MemberID(rawValue: id)), .remove(MemberID(rawValue: old))]
            attributes = Self.known(id, members)
        }
        return ConfigurationChange(steps, context: Command.setMember(attributes).encoded(proposal))
    }

    /// A member as it told of itself; its peer URLs stay as they are.
    private static func known(_ id: UInt64, _ members: [MemberAttributes]) -> MemberAttributes {
        var attributes = members.first { $0.id == id } ?? MemberAttributes(id: id, name: "")
        attributes.peerURLs = []
        return attributes
    }
}

/// What a leader checks before it proposes a change: etcd's rules, in etcd's order.
package struct MembershipRules: Sendable {
    /// What the leader knows of the others just now.
    package struct Health: Sendable {
        /// In touch for some seconds, the leader itself included.
        package var steady: Set<UInt64>
        /// In touch at all.
        package var reachable: Set<UInt64>
        /// How far each member's log agrees with the leader's.
        package var matched: [UInt64: UInt64]
        package var leader: UInt64

        package init(steady: Set<UInt64>, reachable: Set<UInt64>, matched: [UInt64: UInt64], leader: UInt64) {
            self.steady = steady
            self.reachable = reachable
            self.matched = matched
            self.leader = leader
        }
    }

    package var members: [MemberAttributes]
    package var configuration: Configuration
    package var learnersMax: Int
    package var isStrict: Bool

    package init(members: [MemberAttributes], configuration: Configuration, learnersMax: Int, isStrict: Bool) {
        self.members = members
        self.configuration = configuration
        self.learnersMax = learnersMax
        self.isStrict = isStrict
    }

    package func check(_ change: MembershipChange, _ health: Health) throws(StoreError) {
        switch change {
        case .add(let id, let urls, let isLearner): try checkAdd(id, urls, isLearner, health)
        case .remove(let id): try checkRemove(id, health)
        case .update(let id, let urls):
            guard isMember(id) else { throw .memberNotFound }
            guard !isTaken(urls, except: id) else { throw .peerURLExists }
        case .promote(let id): try checkPromote(id, health)
        case .addReplacement(let id, let urls, let old):
            guard voters.contains(old) else { throw .memberNotFound }
            if isStrict {
                guard voters.allSatisfy({ $0 == old || health.steady.contains($0) }) else { throw .unhealthy }
            }
            try checkNew(id, urls, isLearner: true)
        case .replace(let old, let id): try checkReplace(old, by: id, health)
        }
    }

    /// What of an addition etcd checks on the member that was asked, so that a minority is told at once.
    ///
    /// - Parameter steady: With whom that member has been in touch for some seconds, itself included.
    package func checkReadiness(toAddLearner isLearner: Bool, steady: Set<UInt64>) throws(StoreError) {
        guard isStrict else { return }
        if !isLearner {
            // A second member is let in before it starts, or a cluster of one could never grow.
            let started = startedVoters(except: nil)
            let isSecond = started == 1 && voters.count == 1
            guard isSecond || started >= (voters.count + 1) / 2 + 1 else { throw .notEnoughStarted }
        }
        guard voters.allSatisfy({ steady.contains($0) }) else { throw .unhealthy }
    }

    private func checkAdd(_ id: UInt64, _ urls: [String], _ isLearner: Bool, _ health: Health) throws(StoreError) {
        try checkReadiness(toAddLearner: isLearner, steady: health.steady)
        try checkNew(id, urls, isLearner: isLearner)
    }

    private func checkNew(_ id: UInt64, _ urls: [String], isLearner: Bool) throws(StoreError) {
        guard !isMember(id) else { throw .memberExists }
        guard !isTaken(urls, except: id) else { throw .peerURLExists }
        if isLearner, configuration.learners.count + 1 > learnersMax { throw .tooManyLearners }
    }

    private func checkRemove(_ id: UInt64, _ health: Health) throws(StoreError) {
        if isStrict, !isLearner(id) {
            let others = voters.filter { $0 != id }
            guard !others.isEmpty, startedVoters(except: id) >= others.count / 2 + 1 else { throw .notEnoughStarted }
            // One that is down is no part of the quorum that works, so its going takes nothing away.
            if id == health.leader || health.reachable.contains(id) {
                let active = voters.count { health.steady.contains($0) }
                guard active - 1 >= 1 + (voters.count - 1) / 2 else { throw .unhealthy }
            }
        }
        guard isMember(id) else { throw .memberNotFound }
    }

    private func checkPromote(_ id: UInt64, _ health: Health) throws(StoreError) {
        try checkInSync(id, health)
        if isStrict {
            guard startedVoters(except: nil) + 1 >= (voters.count + 1) / 2 + 1 else { throw .notEnoughStarted }
        }
        guard isLearner(id) else { throw .notLearner }
    }

    private func checkInSync(_ id: UInt64, _ health: Health) throws(StoreError) {
        guard let matched = health.matched[id] else { throw .memberNotFound }
        // etcd's measure of "in sync": nine tenths of the leader's log.
        let wanted = Double(health.matched[health.leader] ?? 0) * 0.9
        guard Double(matched) >= wanted else { throw .learnerNotReady }
    }

    private func checkReplace(_ old: UInt64, by id: UInt64, _ health: Health) throws(StoreError) {
        guard voters.contains(old) else { throw .memberNotFound }
        try checkInSync(id, health)
        guard isLearner(id) else { throw .notLearner }
        guard isStrict else { return }
        // Those who vote afterwards must have a quorum among them that has started and is in touch.
        let quorum = voters.count / 2 + 1
        guard startedVoters(except: old) + (isStarted(id) ? 1 : 0) >= quorum else { throw .notEnoughStarted }
        let next = voters.filter { $0 != old } + [id]
        guard next.count(where: { $0 == health.leader || health.reachable.contains($0) }) >= quorum else {
            throw .unhealthy
        }
    }

    private var voters: [UInt64] { configuration.voters.map(\.rawValue) }

    private func isMember(_ id: UInt64) -> Bool { configuration.members.contains(MemberID(rawValue: id)) }

    private func isLearner(_ id: UInt64) -> Bool { configuration.learners.contains(MemberID(rawValue: id)) }

    private func startedVoters(except id: UInt64?) -> Int { voters.count { $0 != id && isStarted($0) } }

    /// A member that has started has told its name.
    private func isStarted(_ id: UInt64) -> Bool { members.contains { $0.id == id && !$0.name.isEmpty } }

    private func isTaken(_ urls: [String], except id: UInt64) -> Bool {
        members.contains { $0.id != id && !Set($0.peerURLs).isDisjoint(with: urls) }
    }
}
