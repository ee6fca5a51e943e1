internal import Synchronization

/// Observations by size, in buckets.
///
/// What is observed is a whole number, such as nanoseconds; what is shown is in a unit of `perUnit` of them.
package final class Histogram: Sendable {
    /// Upper bounds of the buckets in the unit shown, ascending; one more bucket holds what is above.
    package let bounds: [Double]
    /// The same bounds, as observed.
    private let limits: [UInt64]
    /// Each bound is twice the one before.
    private let doubles: Bool
    private let perUnit: Double
    private let cells: [Cell]
    private let total = Atomic<UInt64>(0)

    private final class Cell: Sendable {
        let count = Atomic<UInt64>(0)
    }

    /// Buckets whose bounds double, as most of etcd's do.
    ///
    /// - Parameters:
    ///   - firstBound: In the unit shown. The default, and `count`, are those of most of etcd's durations.
    ///   - perUnit: 1e9 for nanoseconds that are shown as seconds.
    package init(firstBound: Double = 0.001, count: Int = 14, perUnit: Double = 1e9) {
        bounds = (0..<count).map { firstBound * Double(1 << $0) }
        let first = UInt64((firstBound * perUnit).rounded())
        limits = (0..<count).map { first << UInt64($0) }
        doubles = true
        self.perUnit = perUnit
        cells = (0...count).map { _ in Cell() }
    }

    /// - Parameter bounds: Above 0, ascending.
    package init(bounds: [Double], perUnit: Double = 1e9) {
        self.bounds = bounds
        limits = bounds.map { UInt64(($0 * perUnit).rounded()) }
        doubles = false
        self.perUnit = perUnit
        cells = (0...bounds.count).map { _ in Cell() }
    }

    /// Adds `times` observations of the same size.
    package func record(_ amount: UInt64, times: UInt64 = 1) {
        cells[bucket(of: amount)].count.wrappingAdd(times, ordering: .relaxed)
        total.wrappingAdd(amount &* times, ordering: .relaxed)
    }

    /// The first whose bound is at least `amount`.
    private func bucket(of amount: UInt64) -> Int {
        guard doubles else { return limits.firstIndex { $0 >= amount } ?? limits.count }
        let first = limits[0]
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
