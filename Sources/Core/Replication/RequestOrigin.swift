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
    case leaderChanged
    /// Too much is waiting already.
    case overloaded
    case timedOut
    /// The member has stopped.
    case stopped
}
