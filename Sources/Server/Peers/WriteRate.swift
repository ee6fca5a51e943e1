/// How many writes of clients this member has applied each second of the last ones.
package struct WriteRate {
    /// Seconds, or how often it is told, that are remembered.
    package static let samplesMax = 10

    private var last: (count: UInt64, time: Int64)?
    private var samples: [Int64] = []

    package init() {}

    /// Writes a second since the last but one call.
    package var newest: Int64 { samples.last ?? 0 }
    /// The highest of the last ones: what clients can write, even where something holds them up just now.
    package var highest: Int64 { samples.max() ?? 0 }

    /// - Parameters:
    ///   - count: Of all writes ever.
    ///   - now: Nanoseconds of a clock that never goes back.
    package mutating func add(_ count: UInt64, at now: Int64) {
        if let last, now > last.time, count >= last.count {
            samples.append(Int64(Double(count - last.count) * 1e9 / Double(now - last.time)))
            if samples.count > Self.samplesMax { samples.removeFirst() }
        }
        last = (count, now)
    }
}
