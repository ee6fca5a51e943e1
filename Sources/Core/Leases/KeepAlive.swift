package import StrakeModel

/// The answer to a keep-alive.
package enum KeepAlive: Hashable, Sendable {
    /// There is no such lease, or its time is up: the client hears of a TTL of 0.
    case unknown
    /// Answer this TTL, in seconds.
    case renewed(ttl: Int64)
    /// A checkpoint stands in the log that says how little was left: a new leader would go by it and end the lease too
    /// early. Answer once `renewal.checkpoint` is committed, and then call `renewalCommitted`.
    case renewing(LeaseRenewal)
    case notLeading
}

package struct LeaseRenewal: Hashable, Sendable {
    package let id: LeaseID
    /// Seconds.
    package let ttl: Int64
    let shortened: UInt64

    /// Gives the lease back its whole time.
    package var checkpoint: LeaseCheckpoint { LeaseCheckpoint(id: id, remainingSeconds: ttl) }
}
