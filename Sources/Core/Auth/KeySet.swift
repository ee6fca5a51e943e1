internal import StrakeModel

/// A set of keys, put together from ranges: what all of somebody's permissions allow.
struct KeySet: Hashable, Sendable {
    private struct Interval: Hashable {
        var lower: [UInt8]
        /// The first key that is no longer in it; nil: there is none.
        var end: [UInt8]?
    }

    /// Invariant: ascending, none empty, and a gap between each and the next. So a range is allowed when one interval
    /// has all of it, and one binary search finds that one.
    private let intervals: [Interval]

    init(_ ranges: [KeyRange]) {
        var merged: [Interval] = []
        let sorted = ranges.filter { !$0.isEmpty }.map(Self.interval).sorted { $0.lower.precedes($1.lower) }
        for interval in sorted {
            guard let last = merged.last, Self.meets(last, interval) else {
                merged.append(interval)
                continue
            }
            if Self.endsBefore(last.end, interval.end) { merged[merged.count - 1].end = interval.end }
        }
        intervals = merged
    }

    /// All keys that can be in the range are in the set. A single key must not open more than itself, and a range that no
    /// key can be in is allowed only inside of what is.
    func covers(_ range: KeyRange) -> Bool {
        let wanted = Self.interval(range)
        guard let found = lastInterval(startingAtOrBefore: wanted.lower) else { return false }
        return !Self.endsBefore(found.end, wanted.end) && (found.end.map { wanted.lower.precedes($0) } ?? true)
    }

    private func lastInterval(startingAtOrBefore key: [UInt8]) -> Interval? {
        var low = 0
        var high = intervals.count
        while low < high {
            let middle = (low + high) / 2
            if key.precedes(intervals[middle].lower) { high = middle } else { low = middle + 1 }
        }
        return low == 0 ? nil : intervals[low - 1]
    }

    private static func interval(_ range: KeyRange) -> Interval {
        switch range.upper {
        // The key with a zero behind it is the next one that there can be.
        case .single: Interval(lower: range.lower, end: range.lower + [0])
        case .before(let end): Interval(lower: range.lower, end: end)
        case .unbounded: Interval(lower: range.lower, end: nil)
        }
    }

    /// There is no key between them. The second begins no lower than the first.
    private static func meets(_ first: Interval, _ second: Interval) -> Bool {
        first.end.map { !$0.precedes(second.lower) } ?? true
    }

    private static func endsBefore(_ left: [UInt8]?, _ right: [UInt8]?) -> Bool {
        guard let left else { return false }
        return right.map { left.precedes($0) } ?? true
    }
}
