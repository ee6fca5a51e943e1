internal import StrakeLeases
internal import StrakeModel
internal import StrakeReplication
internal import Synchronization

/// Expiries on their way through the log: those that do not get through are offered again.
final class LeaseExpiries: AnswerTarget {
    private struct State {
        var target: Int32 = 0
        var lastToken: UInt64 = 0
        /// By token; looked up, never walked.
        var inFlight: [UInt64: [LeaseID]] = [:]
    }

    private let state = Mutex(State())
    private let failed: @Sendable ([LeaseID]) -> Void

    /// - Parameter failed: Told of leases that did not expire after all.
    init(failed: @escaping @Sendable ([LeaseID]) -> Void) {
        self.failed = failed
    }

    func setTarget(_ target: Int32) {
        state.withLock { $0.target = target }
    }

    func origin(of leases: [LeaseID]) -> RequestOrigin {
        state.withLock { state in
            state.lastToken += 1
            state.inFlight[state.lastToken] = leases
            return RequestOrigin(target: state.target, token: state.lastToken)
        }
    }

    func take(_ batch: AnswerBatch) {
        let lost = state.withLock { state in
            for answer in batch.answers { state.inFlight[answer.token] = nil }
            return batch.failures.flatMap { state.inFlight.removeValue(forKey: $0.token) ?? [] }
        }
        if !lost.isEmpty { failed(lost) }
    }
}
