/// A change of membership: the data of a `.configuration` entry.
///
/// One step that touches at most one voter is made at once. Several steps, or a transition that says so, go through a
/// joint configuration (Raft §6), which a change without steps leaves.
public struct ConfigurationChange: Hashable, Sendable {
    public enum Step: Hashable, Sendable {
        /// Adds a voter, or makes one of a learner.
        case addVoter(MemberID)
        /// Adds a learner, or demotes a voter.
        case addLearner(MemberID)
        case remove(MemberID)
        /// Changes nothing here: what the embedder knows of the member (an address) is in the context.
        case update(MemberID)
    }

    public enum Transition: UInt8, Hashable, Sendable {
        /// Joint only if there are several steps; left by itself.
        case auto = 0
        /// Joint; the leader leaves it as soon as it is committed.
        case implicit = 1
        /// Joint until someone proposes the change without steps.
        case explicit = 2
    }

    /// Empty: leave the joint configuration.
    public var steps: [Step]
    public var transition: Transition
    /// The embedder's own; Raft does not read it.
    public var context: [UInt8]

    public init(_ steps: [Step], transition: Transition = .auto, context: [UInt8] = []) {
        self.steps = steps
        self.transition = transition
        self.context = context
    }

    /// Leaves the joint configuration.
    public static var leaveJoint: ConfigurationChange { ConfigurationChange([]) }

    public var leavesJoint: Bool { steps.isEmpty }
    var entersJoint: Bool { !leavesJoint && (steps.count > 1 || transition != .auto) }
}

extension ConfigurationChange.Step {
    public var member: MemberID {
        switch self {
        case .addVoter(let member), .addLearner(let member), .remove(let member), .update(let member): member
        }
    }
}
