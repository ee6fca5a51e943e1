/// What one member is told about time and bounds. All members of a cluster should be given the same.
public struct RaftOptions: Hashable, Sendable {
    /// Ticks without a leader until an election; the timeout is drawn from `electionTicks ..< 2 * electionTicks`.
    public var electionTicks = 10
    /// Ticks between a leader's heartbeats.
    public var heartbeatTicks = 1
    /// Ask whether an election could be won before disturbing the term (thesis §9.6).
    public var preVote = true
    /// A leader that has not heard from a majority for `electionTicks` steps down, and a member that has heard from its
    /// leader within them disregards candidates (thesis §6.2, §4.2.3).
    public var checkQuorum = true
    /// Ticks that a write of a leader's log may take before it hands over to a voter whose disk is quicker; `nil`: any
    /// time.
    public var diskStallTicks: Int?
    /// A follower passes proposals on to its leader; else it refuses them and names the leader.
    public var forwardProposals = true
    /// Bytes of entries in one append message. A larger entry travels alone.
    public var messageBytesMax = 1 << 20
    /// Append messages to one member that are not answered yet.
    public var inflightMax = 512
    /// Bytes in these messages. At the bound the member is sent nothing more until it answers.
    public var inflightBytesMax = 64 << 20
    /// Bytes of a leader's own entries that are not committed yet; beyond it proposals are refused, save a first one.
    public var uncommittedBytesMax = 64 << 20
    /// Bytes of entries handed out by one apply effect. A larger entry comes alone.
    public var applyBytesMax = 4 << 20
    /// Bytes of the newest entries kept in memory. Entries not yet durable stay in any case.
    public var cacheBytesMax = 16 << 20
    /// The longest pause between snapshots for a member that come to nothing. The first pause is a heartbeat interval,
    /// and each is twice as long as the one before.
    public var snapshotPauseTicksMax = 100
    /// Reads that wait for a confirmation; further ones fail with `.overloaded`.
    public var pendingReadsMax = 65_536
    /// For simulations; none otherwise.
    package var flaws: RaftFlaws = []

    public init() {}

    /// Traps on values that cannot work.
    func validate() {
        precondition(heartbeatTicks > 0, "heartbeatTicks \(heartbeatTicks)")
        precondition(electionTicks > heartbeatTicks, "electionTicks \(electionTicks) not above \(heartbeatTicks)")
        precondition((diskStallTicks ?? 1) > 0, "diskStallTicks \(diskStallTicks ?? 0)")
        precondition(snapshotPauseTicksMax > 0, "snapshotPauseTicksMax \(snapshotPauseTicksMax)")
        precondition(messageBytesMax > 0 && applyBytesMax > 0, "a bound of no bytes")
        precondition(inflightMax > 0 && inflightBytesMax >= messageBytesMax, "inflight bounds below one message")
    }
}
