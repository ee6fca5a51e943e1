/// A member's monotonic clock: a little fast or slow. It may stand still for a while, as Linux's does while the machine is
/// suspended. It may jump ahead, which Linux's does not, whoever sets the time of day: one that does is out of order.
/// It never goes back.
struct MemberClock {
    /// Its time for the true time.
    private let rate: Double
    /// Microseconds for which it has stood still.
    private var lost: Int64 = 0
    private var stopped: Range<Int64> = 0..<0
    /// Microseconds by which it has jumped ahead.
    private var gained: Int64 = 0

    init(rate: Double) {
        self.rate = rate
    }

    func standsStill(at now: Int64) -> Bool { stopped.contains(now) }

    func milliseconds(at now: Int64) -> Int64 {
        let still = min(max(now - stopped.lowerBound, 0), Int64(stopped.count))
        return Int64(Double(now - lost - still) / 1_000 * rate) + gained / 1_000
    }

    mutating func jump(by microseconds: Int64) { gained += microseconds }

    /// - Returns: It was running.
    mutating func stop(at now: Int64, for microseconds: Int64) -> Bool {
        guard !standsStill(at: now) else { return false }
        lost += Int64(stopped.count)
        stopped = now..<now + microseconds
        return true
    }
}
