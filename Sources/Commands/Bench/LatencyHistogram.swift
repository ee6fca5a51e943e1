/// Latencies by size, in buckets 1/128 of their value wide: two significant digits from 1 us to hours in some 30 kB.
struct LatencyHistogram: Sendable {
    private static let subBits = 7
    private var counts: [UInt64] = Array(repeating: 0, count: (64 - subBits + 1) << subBits)
    private(set) var total: UInt64 = 0
    private(set) var maximum: UInt64 = 0

    /// - Parameter value: Nanoseconds.
    mutating func record(_ value: UInt64) {
        counts[Self.bucket(value)] += 1
        total += 1
        maximum = max(maximum, value)
    }

    mutating func merge(_ other: LatencyHistogram) {
        for index in counts.indices { counts[index] += other.counts[index] }
        total += other.total
        maximum = max(maximum, other.maximum)
    }

    /// The value that `fraction` of all are at or below; 0 when there is none.
    func quantile(_ fraction: Double) -> UInt64 {
        guard total > 0 else { return 0 }
        let rank = max(1, UInt64((Double(total) * fraction).rounded(.up)))
        var seen: UInt64 = 0
        for index in counts.indices {
            seen += counts[index]
            if seen >= rank { return min(Self.upperBound(index), maximum) }
        }
        return maximum
    }

    private static func bucket(_ value: UInt64) -> Int {
        let magnitude = max(0, 64 - value.leadingZeroBitCount - subBits - 1)
        return (magnitude << subBits) + Int(value >> UInt64(magnitude))
    }

    private static func upperBound(_ index: Int) -> UInt64 {
        if index < 1 << (subBits + 1) { return UInt64(index) }
        let magnitude = (index >> subBits) - 1
        let mantissa = UInt64(index - magnitude << subBits)
        return (mantissa + 1) << UInt64(magnitude) - 1
    }
}
