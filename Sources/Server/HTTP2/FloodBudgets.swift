/// How often a peer may do what costs us more than it: a burst, and what comes back each second.
///
/// The numbers are far above real clients: a load test whose calls all time out resets thousands of streams a second,
/// and libraries that allow 200 in 30 s cut such clients off.
package struct FloodBudgets: Sendable {
    package struct Budget: Sendable {
        package var burst: Int
        package var perSecond: Int

        package init(burst: Int, perSecond: Int) {
            self.burst = burst
            self.perSecond = perSecond
        }
    }

    /// Streams reset by the peer, or by us for the peer's fault.
    package var resets = Budget(burst: 50_000, perSecond: 5_000)
    package var settings = Budget(burst: 1_000, perSecond: 10)
    /// PINGs with nothing sent between them, beside the keepalive rule.
    package var pings = Budget(burst: 10_000, perSecond: 1_000)
    /// DATA without a byte and without END_STREAM.
    package var emptyData = Budget(burst: 10_000, perSecond: 100)
    /// PRIORITY and frames of unknown types.
    package var ignored = Budget(burst: 20_000, perSecond: 1_000)

    package init() {}
}

/// What is left of a budget.
struct TokenBucket {
    private var tokens: Int
    private var refilledAt: UInt64 = 0
    private let budget: FloodBudgets.Budget

    init(_ budget: FloodBudgets.Budget) {
        self.budget = budget
        tokens = budget.burst
    }

    /// Takes one; false when there is none. `now` in nanoseconds.
    mutating func take(now: UInt64) -> Bool {
        if refilledAt == 0 { refilledAt = max(now, 1) }
        if tokens == 0 { refill(now: now) }
        guard tokens > 0 else { return false }
        tokens -= 1
        return true
    }

    /// What came back since the last time the bucket ran dry.
    private mutating func refill(now: UInt64) {
        guard now > refilledAt else { return }
        let milliseconds = Int(min((now - refilledAt) / 1_000_000, 1_000_000_000))
        let gained = milliseconds * budget.perSecond / 1_000
        guard gained > 0 else { return }
        tokens = min(budget.burst, gained)
        refilledAt = now
    }
}
