internal import StrakeRaft

/// One thing that happens in a simulation.
enum Happening {
    /// To one life of a member; it is over when the member crashes.
    case member(Int, life: Int, MemberHappening)
    /// A message between members arrives.
    case message(Message)
    /// Something of a snapshot's stream arrives.
    case snapshot(SnapshotTransfer, SnapshotTransfer.Step, toSender: Bool)
    /// A client's request arrives at a member.
    case request(ClientRequest, at: Int)
    /// An answer arrives at its client.
    case answer(ClientAnswer)
    /// Part of a watch arrives at its client.
    case watched(WatchMessage, client: Int, stream: Int)
    /// A client does what it planned to do next.
    case turn(client: Int)
    /// A client has waited for this request long enough.
    case patience(client: Int, request: UInt64)
    case weather
    case restart(Int)
    /// A member that was removed is ended for good.
    case retire(Int)
    /// A fault that was to last for a while ends.
    case clears(Fault.Lasting)
}

enum MemberHappening {
    /// The transport could not reach the member.
    case unreachable(Int)
    case tick
    /// The disk has written, and flushed if it had to, what it was given.
    case flushed
    /// The state machine has had the time that it takes to apply a batch.
    case applied
    case checkpointDue
    /// The clock's thread has the time to pin snapshots.
    case snapshotsWanted
    case checkpointWritten
    /// The next piece of the store is to be read and checked.
    case scrubDue
    /// The history that a replay for watchers needs has been read.
    case replayed
    /// The stream's client has taken that many of its messages.
    case taken(stream: Int)
}
