package import StrakeModel

/// A scan of history that a reader thread makes for watchers that are behind.
///
/// It reads whole revisions upwards from `from`, keeps the events that the coverage has, and stops after `through`,
/// or after the first whole revision with which it has kept `eventsMax` events or `bytesMax` bytes.
/// It must see first that the compact revision of its snapshot is not above `from`.
package struct ReplayRequest: Sendable {
    package struct ID: Hashable, Sendable {
        let number: UInt64
    }

    package let id: ID
    package let from: Int64
    package let through: Int64
    package let eventsMax: Int
    package let bytesMax: Int
    /// Some watcher served wants each key as it was before.
    package let wantsPrevious: Bool
    /// Ranges of the watchers served. They may overlap.
    package let ranges: [KeyRange]

    /// Sorts the ranges: work for the reader thread.
    package func coverage() -> KeyCoverage { KeyCoverage(ranges) }
}

package enum ReplayOutcome: Hashable, Sendable {
    /// The watchers served have all that is published: `finishReplay` makes them live.
    case caughtUp
    /// Only these revisions are missing. Pass their events to `replayed` in the same turn of the event loop, from the
    /// store's memory, or finish the replay: the watchers then replay again.
    case needs(ClosedRange<Int64>)
    /// Too much is missing still: finish this replay and ask for the next.
    case behind
    /// The request is not the one under way. Nothing was done.
    case stale
}
