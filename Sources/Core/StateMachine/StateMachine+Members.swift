internal import StrakeModel
internal import StrakeRaft

// Who the members are. Their ids and votes are the configuration's; names and URLs stand beside it, and both change with
// the same entry.
extension StateMachine {
    /// What a change of the configuration says about the members it names.
    ///
    /// - Returns: `nil` when the change names nobody's attributes, as when a joint configuration is left.
    mutating func applyMembers(
        of change: ConfigurationChange, in entry: Entry
    ) throws(StateMachineError) -> Outcome? {
        // One that is removed in a joint change is reached, and counts, until that is over.
        let left = configuration.members.map(\.rawValue)
        for member in members where !left.contains(member.id) { remove(member.id) }
        guard !change.context.isEmpty else { return nil }
        let proposed: ProposedCommand
        do throws(CommandDecodingError) {
            proposed = try ProposedCommand(decoding: change.context)
        } catch {
            throw .unknownCommand(entry.id, error)
        }
        guard case .setMember(let attributes) = proposed.command else { throw .malformedEntry(entry.id) }
        for step in change.steps where step.member.rawValue == attributes.id {
            switch step {
            case .addVoter, .addLearner, .update: settle(attributes)
            case .remove: break
            }
        }
        return .memberSet
    }

    /// A member tells its name and client URLs. Peer URLs change by a change of the configuration only: the others have
    /// to agree where they reach it. What a member says that was removed meanwhile is void.
    mutating func publish(_ attributes: MemberAttributes) {
        guard configuration.members.contains(MemberID(rawValue: attributes.id)) else { return }
        guard var known = members.first(where: { $0.id == attributes.id }) else { return set(attributes) }
        known.name = attributes.name
        known.clientURLs = attributes.clientURLs
        set(known)
    }

    /// A member's peer URLs as the cluster agreed on them. What it told of itself stays.
    private mutating func settle(_ attributes: MemberAttributes) {
        guard var known = members.first(where: { $0.id == attributes.id }) else { return set(attributes) }
        if !attributes.peerURLs.isEmpty { known.peerURLs = attributes.peerURLs }
        set(known)
    }

    private mutating func set(_ attributes: MemberAttributes) {
        var members = members
        let position = members.firstIndex { $0.id >= attributes.id } ?? members.endIndex
        if position < members.endIndex, members[position].id == attributes.id {
            members[position] = attributes
        } else {
            members.insert(attributes, at: position)
        }
        setMembers(members, changed: attributes.id)
    }

    private mutating func remove(_ id: UInt64) {
        setMembers(members.filter { $0.id != id }, changed: id)
    }

    package func isLearner(_ member: UInt64) -> Bool {
        let id = MemberID(rawValue: member)
        return configuration.learners.contains(id) || configuration.learnersNext.contains(id)
    }
}
