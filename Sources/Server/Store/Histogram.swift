internal import Synchronization

/// Observations by size, in buckets whose bounds double, as etcd's histograms have them.
///
/// What is observed is a whole number, such as nanoseconds; what is shown is in a unit of `perUnit` of them.
package final class Histogram: Sendable {
    /// Upper bounds of the buckets in the unit shown, ascending; one more bucket holds what is above.
    package let bounds: [Double]
    /// Upper bound of the first bucket, as observed.
    private let first: UInt64
    private let perUnit: Double
    private let cells: [Cell]
    private let total = Atomic<UInt64>(0)

    private final class Cell: Sendable {
        let count = Atomic<UInt64>(0)
    }

    /// - Parameters:
    ///   - firstBound: In the unit shown. The default, and `count`, are those of most of etcd's durations.
    ///   - perUnit: 1e9 for nanoseconds that are shown as seconds.
    package init(firstBound: Double = 0.001, count: Int = 14, perUnit: Double = 1e9) {
        bounds = (0..<count).map { firstBound * Double(1 << $0) }
        first = UInt64((firstBound * perUnit).rounded())
        self.perUnit = perUnit
        cells = (0...count).map { _ in Cell() }
    }

    /// Adds `times` observations of the same size.
    package func record(_ amount: UInt64, times: UInt64 = 1) {
        cells[bucket(of: amount)].count.wrappingAdd(times, ordering: .relaxed)
        total.wrappingAdd(amount &* times, ordering: .relaxed)
    }

    /// The first whose bound is at least `amount`: the bounds are `first` times the powers of two.
    private func bucket(of amount: UInt64) -> Int {
        guard amount > first else { return 0 }
        return min(UInt64.bitWidth - ((amount - 1) / first).leadingZeroBitCount, bounds.count)
    }

    /// Counts at or below each bound, then all.
    package var cumulative: [UInt64] {
        var sum: UInt64 = 0
        return cells.map { cell in
            sum += cell.count.load(ordering: .relaxed)
            return sum
        }
    }

    /// The sum of what was observed, in the unit shown.
    package var sum: Double { Double(total.load(ordering: .relaxed)) / perUnit }
}
