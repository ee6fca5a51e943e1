internal import Synchronization

/// A value that comes once, from any thread, for one task that waits for it or gives up.
final class Reply<Value: Sendable>: Sendable {
    typealias Outcome = Result<Value, EmbeddedStoreError>

    private enum State {
        case open
        case awaited(UnsafeContinuation<Outcome, Never>)
        case given(Outcome)
    }

    private let state = Mutex(State.open)

    /// The first outcome counts: what comes after the task has given up is dropped.
    func give(_ outcome: Outcome) {
        let waiter: UnsafeContinuation<Outcome, Never>? = state.withLock { state in
            switch state {
            case .given: return nil
            case .open:
                state = .given(outcome)
                return nil
            case .awaited(let continuation):
                state = .given(outcome)
                return continuation
            }
        }
        waiter?.resume(returning: outcome)
    }

    /// Waits for it. To be asked once. A task that is canceled gets `canceled`.
    nonisolated(nonsending) func value() async throws(EmbeddedStoreError) -> Value {
        let outcome: Outcome = await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                let given: Outcome? = state.withLock { state in
                    switch state {
                    case .given(let outcome): return outcome
                    case .awaited: preconditionFailure("two tasks wait for one reply")
                    case .open:
                        state = .awaited(continuation)
                        return nil
                    }
                }
                if let given { continuation.resume(returning: given) }
            }
        } onCancel: {
            give(.failure(.canceled))
        }
        return try outcome.get()
    }
}
