public import StrakeRaft

/// What the shell has to do after a step, in the order of the fields.
///
/// The shell keeps one value and hands it in again and again, so that no step allocates.
public struct ReplicaOutput: Sendable {
    /// Goes to the disk, in this order, before anything given later.
    public var writes: [DiskWork] = []
    /// To the other members. One with the body `.snapshot` is the head of the prepared snapshot's stream.
    public var messages: [Message] = []
    /// Committed entries to apply, with who waits for each.
    public var applies: [ApplyBatch] = []
    /// Reads that may be served now.
    public var readsReady: [RequestOrigin] = []
    public var failures: [Failure] = []
    /// The newest of several changes.
    public var leadership: Leadership?
    /// Members that a snapshot of the state machine is to be pinned for: answer with `.snapshotPrepared`, or with
    /// `.snapshotReport` when there is none.
    public var snapshotsToPrepare: [MemberID] = []
    /// Snapshots whose stream is wanted: answer with `.snapshotReceived`.
    public var snapshotsToAccept: [SnapshotMetadata] = []
    /// Received snapshots that are of no use any more.
    public var snapshotsToDiscard: [SnapshotMetadata] = []

    public init() {}

    public mutating func removeAll() {
        writes.removeAll(keepingCapacity: true)
        messages.removeAll(keepingCapacity: true)
        applies.removeAll(keepingCapacity: true)
        readsReady.removeAll(keepingCapacity: true)
        failures.removeAll(keepingCapacity: true)
        leadership = nil
        snapshotsToPrepare.removeAll(keepingCapacity: true)
        snapshotsToAccept.removeAll(keepingCapacity: true)
        snapshotsToDiscard.removeAll(keepingCapacity: true)
    }
}

public enum DiskWork: Sendable {
    case write(Write)
    case read(LogRead)
    /// Switch to the received snapshot and begin the log anew after it; acknowledged as a write of this number.
    case restore(SnapshotMetadata, write: UInt64)
}

public struct ApplyBatch: Sendable {
    public var entries: [Entry]
    /// One for each entry; `nil` where nobody on this member waits.
    public var origins: [RequestOrigin?]

    public init(entries: [Entry], origins: [RequestOrigin?]) {
        self.entries = entries
        self.origins = origins
    }
}

public struct Failure: Hashable, Sendable {
    public var origin: RequestOrigin
    public var reason: ReplicaFailure

    public init(origin: RequestOrigin, reason: ReplicaFailure) {
        self.origin = origin
        self.reason = reason
    }
}
