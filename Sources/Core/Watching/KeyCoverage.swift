package import StrakeModel

/// The union of some ranges of keys.
package struct KeyCoverage: Sendable {
    /// Ascending, neither overlapping nor touching.
    private var segments: [KeyRange] = []

    package init(_ ranges: [KeyRange]) {
        for range in ranges.sorted(by: { $0.lower.precedes($1.lower) }) where !range.isEmpty {
            append(range)
        }
    }

    private mutating func append(_ range: KeyRange) {
        guard let last = segments.last, Self.reaches(last, range.lower) else {
            segments.append(range)
            return
        }
        segments[segments.count - 1].upper = Self.higher(last, range)
    }

    /// The key is in the range or is the first after it.
    private static func reaches(_ range: KeyRange, _ key: [UInt8]) -> Bool {
        switch range.upper {
        case .single: key == range.lower || key == range.lower + [0]
        case .before(let end): !end.precedes(key)
        case .unbounded: true
        }
    }

    private static func higher(_ left: KeyRange, _ right: KeyRange) -> KeyRange.Upper {
        guard let leftEnd = end(of: left), let rightEnd = end(of: right) else { return .unbounded }
        return .before(leftEnd.precedes(rightEnd) ? rightEnd : leftEnd)
    }

    /// The first key above the range.
    private static func end(of range: KeyRange) -> [UInt8]? {
        switch range.upper {
        case .single: range.lower + [0]
        case .before(let end): end
        case .unbounded: nil
        }
    }

    /// - Complexity: O(log n).
    package func contains(_ key: RawSpan) -> Bool {
        var (low, high) = (0, segments.count)
        while low < high {
            let middle = (low + high) / 2
            if segments[middle].lower.compare(key) <= 0 { low = middle + 1 } else { high = middle }
        }
        guard low > 0 else { return false }
        switch segments[low - 1].upper {
        case .single: return segments[low - 1].lower.compare(key) == 0
        case .before(let end): return end.compare(key) > 0
        case .unbounded: return true
        }
    }
}
