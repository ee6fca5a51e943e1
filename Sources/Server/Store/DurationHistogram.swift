internal import Synchronization

/// Durations by size in the buckets that etcd's histograms have: 1 ms and its doubles, or others given.
package final class DurationHistogram: Sendable {
    /// Upper bounds in seconds, ascending; one more bucket holds what is above.
    package let bounds: [Double]
    private let counts: [Cell]
    private let nanoseconds = Atomic<UInt64>(0)

    private final class Cell: Sendable {
        let count = Atomic<UInt64>(0)
    }

    package init(firstBound: Double = 0.001, count: Int = 14) {
        bounds = (0..<count).map { firstBound * Double(1 << $0) }
        counts = (0...count).map { _ in Cell() }
    }

    package func record(nanoseconds duration: UInt64) {
        let seconds = Double(duration) / 1e9
        let index = bounds.firstIndex { seconds <= $0 } ?? bounds.count
        counts[index].count.add(1, ordering: .relaxed)
        nanoseconds.add(duration, ordering: .relaxed)
    }

    /// Counts at or below each bound, then all.
    package var cumulative: [UInt64] {
        var sum: UInt64 = 0
        return counts.map { cell in
            sum += cell.count.load(ordering: .relaxed)
            return sum
        }
    }

    package var seconds: Double { Double(nanoseconds.load(ordering: .relaxed)) / 1e9 }
}
