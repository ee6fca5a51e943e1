package import StrakeModel

/// A lease as all members know it. Deadlines are the leader's own affair: clocks of members do not agree.
package struct Lease: Hashable, Sendable {
    package let id: LeaseID
    /// Seconds, from the grant and from each keep-alive.
    package let ttl: Int64
    /// Seconds that were left when the leader last made a checkpoint of the lease; the whole `ttl` before the first.
    /// Invariant: `0 <= remaining <= ttl`.
    package internal(set) var remaining: Int64

    package init(id: LeaseID, ttl: Int64) {
        self.id = id
        self.ttl = ttl
        remaining = ttl
    }

    package init(id: LeaseID, ttl: Int64, remaining: Int64) {
        self.id = id
        self.ttl = ttl
        self.remaining = min(max(remaining, 0), ttl)
    }

    /// Stands for the lease; that of a set of leases is the sum.
    var digest: UInt64 {
        var digest = Digest()
        digest.add(id.rawValue, ttl)
        digest.add(remaining, 0)
        return digest.value
    }
}
