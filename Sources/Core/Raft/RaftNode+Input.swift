extension RaftNode {
    /// Everything that can happen to a member.
    public enum Input: Hashable, Sendable {
        /// One unit of time has passed.
        case tick
        case receive(Message)
        /// Commands for the state machine, all or none. The effects of this same step say what became of them.
        case propose([[UInt8]])
        case proposeConfiguration(ConfigurationChange)
        /// Asks for an index that a linearizable read must wait for. The context is never used again by this member, not
        /// even to try the same read once more, nor by a later run of it (see `session`): an old answer would be taken for a
        /// new one.
        case readIndex(context: UInt64)
        case transferLeadership(to: MemberID)
        /// Starts an election now.
        case campaign
        /// A follower stops believing in its leader, and so no longer disregards candidates on its behalf.
        case forgetLeader
        /// This write and all before it are durable.
        case persisted(write: UInt64)
        /// The writes that are out have not reached the disk, since who writes them has other work in hand: the time that they
        /// may take begins anew.
        case diskNotAsked
        case applied(through: LogIndex)
        /// Answers `.readLog`. No entries: they have been compacted away.
        case logRead(LogRead, entries: [Entry])
        /// Answers `.prepareSnapshot`.
        case snapshotPrepared(for: MemberID, SnapshotMetadata)
        /// Answers `.acceptSnapshot`: the snapshot is whole and durable beside the present state.
        case snapshotReceived(SnapshotMetadata)
        /// What became of a snapshot for that member; also when it could not be prepared.
        case snapshotReport(MemberID, SnapshotOutcome)
        /// The transport failed to reach the member.
        case unreachable(MemberID)
        /// The log up to here is about to be deleted: it is applied, and the state machine holds it durably.
        case compacted(through: LogIndex)
    }
}

public enum SnapshotOutcome: Hashable, Sendable {
    case delivered
    /// It broke off, but had brought the member further than the one before: the rest is worth another try soon.
    case interrupted
    /// Nothing came of it.
    case failed
}

/// Entries that are durable but no longer in memory.
public struct LogRead: Hashable, Sendable {
    public enum Purpose: Hashable, Sendable {
        case apply
        case member(MemberID)
    }

    public var purpose: Purpose
    public var from: LogIndex
    /// Last index wanted.
    public var through: LogIndex
    /// Where to stop, save that the first entry always comes.
    public var bytesMax: Int

    public init(purpose: Purpose, from: LogIndex, through: LogIndex, bytesMax: Int) {
        self.purpose = purpose
        self.from = from
        self.through = through
        self.bytesMax = bytesMax
    }
}
