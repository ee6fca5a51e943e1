/// Why a configuration change makes no sense for the configuration that it meets.
public enum ConfigurationError: Error, Hashable, Sendable {
    /// Leave the joint configuration first.
    case alreadyJoint
    /// There is no joint configuration to leave.
    case notJoint
    /// Nobody could ever commit anything again.
    case noVoters
    /// Zero names nobody.
    case invalidMember
}

extension SnapshotMetadata {
    /// Where every member of a new cluster begins: as if a first entry had brought the voters in.
    ///
    /// Not at zero: the log alone does not say who began, so a member that joins later must get a snapshot, and does,
    /// because nobody has the entries after zero.
    public static func bootstrap(voters: [MemberID]) -> SnapshotMetadata {
        let first = EntryID(term: Term(rawValue: 1), index: LogIndex(rawValue: 1))
        return SnapshotMetadata(last: first, configuration: Configuration(voters: voters.sorted()))
    }

    /// Where a member begins that is added to a running cluster: it knows nobody, and learns all from a snapshot.
    public static var joining: SnapshotMetadata { SnapshotMetadata(last: .zero, configuration: Configuration()) }
}

extension Configuration {
    /// While joint, decisions need both halves.
    public var isJoint: Bool { !outgoing.isEmpty }

    public func isVoter(_ member: MemberID) -> Bool { voters.contains(member) || outgoing.contains(member) }

    /// Everybody who receives the log, ascending.
    public var members: [MemberID] {
        var all = voters
        for member in outgoing { all.insertSorted(member) }
        for member in learners { all.insertSorted(member) }
        return all
    }

    /// The configuration after a change. Pure, so the state machine and every member come to the same one.
    public func applying(_ change: ConfigurationChange) throws(ConfigurationError) -> Configuration {
        var next = self
        if change.leavesJoint {
            guard isJoint else { throw .notJoint }
            next.leaveJoint()
            return next
        }
        guard !isJoint else { throw .alreadyJoint }
        if change.entersJoint {
            guard !voters.isEmpty else { throw .noVoters }
            next.outgoing = voters
            next.autoLeave = change.transition != .explicit
        }
        for step in change.steps {
            guard step.member.rawValue != 0 else { throw .invalidMember }
            next.apply(step)
        }
        guard !next.voters.isEmpty else { throw .noVoters }
        return next
    }

    private mutating func apply(_ step: ConfigurationChange.Step) {
        switch step {
        case .addVoter(let member):
            voters.insertSorted(member)
            learners.removeSorted(member)
            learnersNext.removeSorted(member)
        case .addLearner(let member):
            voters.removeSorted(member)
            // A member that still votes in the outgoing half must not be a learner too: it becomes one on leaving.
            if outgoing.contains(member) {
                learnersNext.insertSorted(member)
            } else {
                learners.insertSorted(member)
            }
        case .remove(let member):
            voters.removeSorted(member)
            learners.removeSorted(member)
            learnersNext.removeSorted(member)
        case .update:
            break
        }
    }

    private mutating func leaveJoint() {
        for member in learnersNext { learners.insertSorted(member) }
        learnersNext = []
        outgoing = []
        autoLeave = false
    }
}

extension [MemberID] {
    /// Keeps the list ascending and without repeats.
    fileprivate mutating func insertSorted(_ member: MemberID) {
        let place = firstIndex { $0 >= member } ?? endIndex
        if place < endIndex, self[place] == member { return }
        insert(member, at: place)
    }

    fileprivate mutating func removeSorted(_ member: MemberID) {
        if let place = firstIndex(of: member) { remove(at: place) }
    }
}
