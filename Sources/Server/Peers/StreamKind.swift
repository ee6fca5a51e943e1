/// What a connection is for.
package enum StreamKind: UInt8, Hashable, Sendable, CaseIterable {
    /// Heartbeats, votes, answers: what must not wait behind entries.
    case urgent = 1
    /// Entries and proposals, in order.
    case bulk = 2
    /// One snapshot.
    case snapshot = 3
}
