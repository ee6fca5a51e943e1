internal import StrakeLog
internal import StrakeModel
internal import StrakeRaft
internal import StrakeReplication
internal import StrakeStateMachine
internal import StrakeStore

// Who is in the cluster, as the server's store and its leader's desk do it.
extension RunningMember {
    /// An operator asks this leader for a change.
    ///
    /// - Returns: It was proposed.
    func propose(_ change: MembershipChange) -> Bool {
        let rules = MembershipRules(
            members: machine.members, configuration: machine.configuration, learnersMax: 2,
            isStrict: world.plan.strictReconfiguration)
        let status = replica.node.status
        guard status.leadership.role == .leader, status.configuration == rules.configuration else { return false }
        let touched = Set(world.members.filter { isInTouch(with: $0) }.map { UInt64($0.number) })
        let matched = status.members.map { ($0.member.rawValue, $0.match.rawValue) }
        do throws(StoreError) {
            try rules.check(
                change,
                MembershipRules.Health(
                    steady: touched, reachable: touched, matched: Dictionary(uniqueKeysWithValues: matched),
                    leader: owner.id.rawValue))
        } catch {
            world.deeds.add("changes of members refused")
            return false
        }
        let name = ProposalID(rawValue: world.nextRequest())
        world.note(number, .members, name.rawValue, text: "\(change)")
        propose(change.configurationChange(name, members: rules.members))
        return true
    }

    /// One member for another, through a joint configuration.
    func proposeReplacement(of old: MemberID, by new: SimulatedMember) -> Bool {
        let status = replica.node.status
        guard status.configuration == machine.configuration, !status.configuration.isJoint else { return false }
        let name = ProposalID(rawValue: world.nextRequest())
        let attributes = MemberAttributes(id: new.id.rawValue, name: "", peerURLs: new.peerURLs)
        world.note(number, .members, name.rawValue, text: "replace \(old) by \(new.id)")
        world.deeds.add("replacements")
        propose(
            ConfigurationChange(
                [.addVoter(new.id), .remove(old)], context: Command.setMember(attributes).encoded(name)))
        return true
    }

    private func propose(_ change: ConfigurationChange) {
        let origin = RequestOrigin(target: Self.ownTarget, token: world.nextRequest())
        step { replica, output in replica.propose(change, origin: origin, into: &output) }
    }

    /// A removed member asks the others whether they know of it. A member that was away hears of it when it connects to one
    /// that knows.
    private func hearOfRemoval() {
        guard hasJoined else { return }
        for other in world.members where other !== owner && isInTouch(with: other) {
            guard let node = other.running?.replica.node, node.hasRemoved(owner.id, since: machine.applied.index)
            else { continue }
            departure.told(by: other.id, now: owner.clockMilliseconds)
        }
    }

    private func isInTouch(with other: SimulatedMember) -> Bool {
        let network = world.network
        return other === owner
            || other.running != nil && !network.isCut(from: number, to: other.number)
                && !network.isCut(from: other.number, to: number)
    }

    /// The state machine has applied a change of the members, or begins with some.
    func membersChanged() {
        let members = machine.configuration.members
        if members.contains(owner.id) {
            hasJoined = true
            departure.join()
        } else if hasJoined {
            departure.applied(now: owner.clockMilliseconds)
        }
        world.membersKnown(machine.configuration, at: machine.applied.index)
    }

    /// What the cluster needs done at every tick: the member tells its name, and goes when it was removed and the others
    /// can do without it.
    func tickMembers() {
        hearOfRemoval()
        switch departure.tick(now: owner.clockMilliseconds, own: owner.id, replica.node.configuration) {
        case .stay, .stayAndTell: break
        case .leave:
            world.deeds.add("members that left by themselves")
            return owner.retire()
        }
        guard replica.node.leader != nil, publishing == nil,
            let known = machine.members.first(where: { $0.id == owner.id.rawValue }), known.name.isEmpty
        else { return }
        let token = world.nextRequest()
        publishing = token
        let own = MemberAttributes(id: known.id, name: owner.name, peerURLs: known.peerURLs)
        propose(.setMember(own), RequestOrigin(target: Self.ownTarget, token: token))
    }
}

extension World {
    /// An entry that changes the members was applied somewhere: operators start who has joined and end who has left.
    func membersKnown(_ configuration: Configuration, at index: LogIndex) {
        guard index > rosterIndex else { return }
        rosterIndex = index
        let numbers = configuration.members.map { Int($0.rawValue) }
        for number in numbers where !roster.contains(number) {
            deeds.add("members added")
            schedule(.restart(number), after: random(1_000...2_000_000))
        }
        for number in roster where !numbers.contains(number) {
            deeds.add("members removed")
            schedule(.retire(number), after: random(1_000...5_000_000))
        }
        roster = numbers
        voters = configuration.voters.map { Int($0.rawValue) }
    }
}
