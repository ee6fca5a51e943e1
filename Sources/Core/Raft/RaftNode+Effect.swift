extension RaftNode {
    /// What the shell must do.
    ///
    /// The order contract:
    /// - `.persist` and `.restore` are carried out strictly in the order of their numbers, and acknowledged by
    ///   `.persisted`, which speaks for all numbers up to its own.
    /// - `.send` may be carried out at once. What must not be said before something is durable is held back by the node
    ///   itself until the acknowledgement.
    /// - `.apply` holds entries that are committed and durable here. At most one is out at a time; `.applied` answers it.
    /// - `.restore` never meets an `.apply` that is out, nor the other way round.
    public enum Effect: Hashable, Sendable {
        /// With the body `.snapshot`: the head, and then the prepared snapshot's stream.
        case send(Message)
        case persist(Write)
        /// Switch to the staged snapshot and empty the log, so that the next entry is the one after the snapshot's last.
        case restore(SnapshotMetadata, write: UInt64)
        case apply([Entry])
        case readLog(LogRead)
        /// Pin a snapshot of the state machine for this member.
        case prepareSnapshot(for: MemberID)
        /// Receive the stream of this snapshot. Without this effect the stream is of no use: refuse it.
        case acceptSnapshot(from: MemberID, SnapshotMetadata)
        /// The received snapshot is no longer of use.
        case discardSnapshot(SnapshotMetadata)
        /// The proposed commands are in the leader's log under consecutive indexes. They succeed when the entry applied
        /// at an index is of the same term.
        case proposed(first: EntryID, count: Int)
        case proposalForwarded(to: MemberID, batch: UInt64)
        /// What was forwarded as this batch has not happened, and will not.
        case forwardedRefused(batch: UInt64, BatchRefusal)
        case proposalRefused(ProposalRefusal)
        /// Serve the read once `index` is applied.
        case readReady(context: UInt64, index: LogIndex)
        case readFailed(context: UInt64, ReadFailure)
        case leadershipChanged(Leadership)
        /// In effect from here on, since the entry at the index is committed.
        case configurationChanged(Configuration, at: LogIndex)
    }
}

/// One step of the durable log. After a crash it is there whole or not at all: a state may commit entries that it comes with.
public struct Write: Hashable, Sendable {
    public var number: UInt64
    public var hardState: HardState?
    /// Consecutive. The first may lie within the log: what the log holds from there on is dropped.
    public var entries: [Entry]
    /// False: only the commit index has changed, which may be lost.
    public var mustSync: Bool

    public init(number: UInt64, hardState: HardState?, entries: [Entry], mustSync: Bool) {
        self.number = number
        self.hardState = hardState
        self.entries = entries
        self.mustSync = mustSync
    }
}

public enum ProposalRefusal: Error, Hashable, Sendable {
    case noLeader
    /// This member does not forward.
    case notLeader(MemberID)
    /// Leadership is being handed over: try again in a moment.
    case transferring
    /// This leader was voted out of the cluster.
    case leaving
    /// Too much is waiting for a majority already.
    case uncommittedLimit
    /// An earlier change is not committed yet.
    case configurationPending
    case configuration(ConfigurationError)
    /// A new leader changes the configuration only after an entry of its own term is committed.
    case notReady
}

/// The read may be tried again, under a new context.
public enum ReadFailure: Error, Hashable, Sendable {
    case noLeader, leaderChanged, overloaded, timedOut
}

public enum RoleKind: UInt8, Hashable, Sendable {
    case follower = 0
    case preCandidate = 1
    case candidate = 2
    case leader = 3
}

/// Who leads, as this member sees it.
public struct Leadership: Hashable, Sendable {
    public var term: Term
    public var role: RoleKind
    public var leader: MemberID?

    public init(term: Term, role: RoleKind, leader: MemberID?) {
        self.term = term
        self.role = role
        self.leader = leader
    }
}
