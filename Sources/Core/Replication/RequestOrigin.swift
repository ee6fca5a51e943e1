/// Where the answer to a request goes: a place the shell knows, and the request's number there.
public struct RequestOrigin: Hashable, Sendable {
    public var target: Int32
    public var token: UInt64

    @inlinable
    public init(target: Int32, token: UInt64) {
        self.target = target
        self.token = token
    }
}

/// Why a request ended without having been applied or answered.
public enum ReplicaFailure: Hashable, Sendable {
    case noLeader
    case notLeader
    /// Another leader's entry stands where this one's would have: it did not happen.
    case leaderChanged
    /// Too much is waiting already.
    case overloaded
    case timedOut
    /// The leader that had it was lost meanwhile, and it is not known whether it will happen.
    case timedOutLeaderFailed
    /// Timed out, and the leader could not be reached meanwhile.
    case timedOutDisconnected
    /// No leader took it in all of its time: it did not happen.
    case neverProposed
    /// The configuration cannot change just now: an earlier change is under way, or the leader is too new.
    case configurationBusy
    /// The change makes no sense for the configuration that it met.
    case configurationInvalid
    /// The member has stopped.
    case stopped
}
