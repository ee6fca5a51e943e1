internal import StrakeModel

/// What clients were promised about their leases, in simulated time.
final class LeaseChecker {
    private struct Promise {
        /// Microseconds: no earlier expiry.
        var until: Int64
        var lastAnswer: Int64
    }

    private let referee: Referee
    private let drift: Double
    private var promises: [LeaseID: Promise] = [:]
    /// Times at which a clock that leases depend on jumped ahead, and by how much, in microseconds.
    private var jumps: [(time: Int64, by: Int64)] = []

    init(referee: Referee, drift: Double) {
        self.referee = referee
        self.drift = drift
    }

    /// A grant or a keep-alive was answered. The time to live runs from some moment after the request was sent, on a
    /// clock that may be fast by the drift.
    func promised(_ lease: LeaseID, ttlSeconds: Int64, sentAt: Int64, answeredAt: Int64) {
        // A clock that has jumped since may have counted that too.
        let jumped = jumps.reduce(0) { sum, jump in jump.time < sentAt ? sum : sum + jump.by }
        let until = sentAt + Int64(Double(ttlSeconds) * 1_000_000 / (1 + drift)) - jumped
        let known = promises[lease]?.until ?? 0
        promises[lease] = Promise(until: max(known, until), lastAnswer: answeredAt)
    }

    /// The clock of a member that leads, or believes to, has jumped ahead: what it was to count for the leases of now is
    /// over so much earlier.
    func jumped(by microseconds: Int64, at time: Int64) {
        jumps.append((time, microseconds))
        for lease in promises.keys { promises[lease]?.until -= microseconds }
    }

    /// A member whose leadership was proved says that there is no such lease.
    func gone(_ lease: LeaseID, at time: Int64) {
        if let promise = promises[lease], time < promise.until { fail(lease, promise, "is gone", time) }
    }

    /// Some member applied the expiry, some time after the leader had decided it.
    func expired(_ leases: [LeaseID], at time: Int64) {
        for lease in leases {
            guard let promise = promises.removeValue(forKey: lease) else { continue }
            if time < promise.until { fail(lease, promise, "expired", time) }
        }
    }

    private func fail(_ lease: LeaseID, _ promise: Promise, _ what: String, _ time: Int64) {
        referee.fail(
            .lease,
            "lease \(lease.rawValue) \(what) at \(time / 1_000) ms; the client was promised it until "
                + "\(promise.until / 1_000) ms, last at \(promise.lastAnswer / 1_000) ms")
    }
}
