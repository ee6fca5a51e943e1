/// Who votes and who only listens. While `outgoing` is not empty the configuration is joint: elections and commits
/// need a majority of `voters` and one of `outgoing` (Raft §6).
public struct Configuration: Hashable, Sendable {
    /// The voters, of the incoming half when joint. Ascending, without repeats, like every list here.
    public var voters: [MemberID]
    /// Voters of the half that is left behind; empty when not joint.
    public var outgoing: [MemberID]
    /// Members that receive the log and do not count.
    public var learners: [MemberID]
    /// Outgoing voters that become learners when the joint configuration is left.
    public var learnersNext: [MemberID]
    /// The leader leaves the joint configuration by itself once it is committed.
    public var autoLeave: Bool

    public init(
        voters: [MemberID] = [], outgoing: [MemberID] = [], learners: [MemberID] = [], learnersNext: [MemberID] = [],
        autoLeave: Bool = false
    ) {
        self.voters = voters
        self.outgoing = outgoing
        self.learners = learners
        self.learnersNext = learnersNext
        self.autoLeave = autoLeave
    }
}

/// What a snapshot of the state machine stands for: every entry up to `last`, and the members at that point.
public struct SnapshotMetadata: Hashable, Sendable {
    public var last: EntryID
    public var configuration: Configuration

    public init(last: EntryID, configuration: Configuration) {
        self.last = last
        self.configuration = configuration
    }
}
