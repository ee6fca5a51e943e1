package import StrakeModel

/// The ranges that somebody watches, for who has no hub and is to know whether a change is worth telling one.
package struct WatchInterest: Sendable {
    /// Of a longer batch no key is looked at: some watcher is taken to want it.
    package static let eventsLookedAtMax = 64

    private var keys = KeyTable()
    private var ranges: RangeIndex
    /// Stands for each range.
    private static let present = 0

    /// - Parameter seed: A number that those who watch do not know: no order of ranges makes the look-up deep then.
    package init(seed: UInt64 = 0) {
        ranges = RangeIndex(seed: seed)
    }

    package var isEmpty: Bool { keys.count == 0 && ranges.count == 0 }

    package mutating func insert(_ range: KeyRange) {
        if range.isEmpty { return }
        if range.isSingle {
            keys.set(range.lower, to: Self.present)
        } else {
            ranges.set(range, to: Self.present)
        }
    }

    package mutating func remove(_ range: KeyRange) {
        if range.isSingle { keys.remove(range.lower) } else { ranges.remove(range) }
    }

    /// - Complexity: O(log n) for each event in the number of ranges.
    package func mayInclude(_ batch: some WatchBatch) -> Bool {
        if isEmpty { return false }
        if batch.count > Self.eventsLookedAtMax { return true }
        for index in 0..<batch.count {
            var isWatched = false
            batch.withKey(at: index) { isWatched = includes($0) }
            if isWatched { return true }
        }
        return false
    }

    private func includes(_ key: RawSpan) -> Bool { keys.value(of: key) != nil || ranges.containsAny(around: key) }
}
