/// A member's monotonic clock: a little fast or slow, and it may stand still for a while, as that of a machine does which
/// its host stops. It never goes back, and never jumps ahead: a lease's time would be over before it is.
struct MemberClock {
    /// Its time for the true time.
    private let rate: Double
    /// Microseconds for which it has stood still.
    private var lost: Int64 = 0
    private var stopped: Range<Int64> = 0..<0

    init(rate: Double) {
        self.rate = rate
    }

    func standsStill(at now: Int64) -> Bool { stopped.contains(now) }

    func milliseconds(at now: Int64) -> Int64 {
        let still = min(max(now - stopped.lowerBound, 0), Int64(stopped.count))
        return Int64(Double(now - lost - still) / 1_000 * rate)
    }

    /// - Returns: It was running.
    mutating func stop(at now: Int64, for microseconds: Int64) -> Bool {
        guard !standsStill(at: now) else { return false }
        lost += Int64(stopped.count)
        stopped = now..<now + microseconds
        return true
    }
}
