package import StrakeModel

/// Bounds on the time to live that a client may ask for.
package enum LeaseTTL {
    /// Seconds. More is refused (etcd's limit).
    package static let max: Int64 = 9_000_000_000

    /// One and a half election timeouts in whole seconds, rounded up: a lease outlives an ordinary change of leader.
    package static func minimum(electionTicks: Int, tickMilliseconds: Int) -> Int64 {
        let timeout = Int64(electionTicks) * Int64(tickMilliseconds)
        return Swift.max(1, (3 * timeout + 1_999) / 2_000)
    }

    /// The time to live that is granted where `requested` is asked for, zero and negative included. To be applied
    /// before the grant is proposed: the members' settings may differ.
    package static func granted(requested: Int64, minimum: Int64) throws(StoreError) -> Int64 {
        guard requested <= max else { throw .leaseTTLTooLarge }
        return Swift.max(requested, minimum)
    }
}
