/// Safeguards that a simulation leaves out on purpose, to see that it notices. A member of a real cluster has none of
/// these: nothing outside this package can set them, and nothing but the simulation does.
package struct RaftFlaws: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// Entries of earlier terms are committed by counting (Raft figure 8).
    package static let commitsEarlierTerms = RaftFlaws(rawValue: 1)
    /// A new leader answers reads from the commit index it came with.
    package static let readsBeforeOwnTerm = RaftFlaws(rawValue: 2)
    /// Committed entries are applied before this member's disk has them.
    package static let appliesAheadOfDisk = RaftFlaws(rawValue: 4)
    /// The acknowledgement of a write counts for entries that have taken the place of those written.
    package static let countsLateAcknowledgements = RaftFlaws(rawValue: 8)
    /// What a follower passed on goes into the log each time its message comes.
    package static let takesBatchesTwice = RaftFlaws(rawValue: 16)
}
