internal import StrakeClient
internal import StrakeSignals
internal import Synchronization

/// A lease that is kept, until a signal comes or it is lost.
final class Session: Sendable {
    private let client: StrakeClient
    private let lease: LeaseID
    private let end = EndLatch()
    private let keeping: KeepAlive

    init(_ client: StrakeClient, _ lease: LeaseID) {
        self.client = client
        self.lease = lease
        let (keeping, signals, end) = (client.keepAlive(lease), SignalWaiter(), end)
        self.keeping = keeping
        Task {
            _ = await signals.next()
            end.open(.signal)
        }
        Task {
            do {
                for try await _ in keeping {}
            } catch {}
            end.open(.expired)
        }
    }

    /// Until the call is answered; a signal calls it off, and the place in the queue goes with the lease.
    func wait<Value: Sendable>(
        _ body: @escaping @Sendable () async throws(StrakeClientError) -> Value
    ) async throws(CommandFailure) -> Value {
        let waiting = Task { () async -> Result<Value, StrakeClientError> in
            do throws(StrakeClientError) { return .success(try await body()) } catch { return .failure(error) }
        }
        let latch = end
        // Of no effect when the call was answered before.
        Task {
            _ = await latch.wait()
            waiting.cancel()
        }
        let outcome = await waiting.value
        do throws(StrakeClientError) {
            return try outcome.get()
        } catch {
            await giveBack()
            throw CommandFailure(error.goText)
        }
    }

    /// False when the lease was lost first.
    func untilSignal() async -> Bool {
        await end.wait() == .signal
    }

    /// Gives everything back that hangs on the lease.
    func giveBack() async {
        keeping.cancel()
        _ = try? await client.revokeLease(lease)
    }
}

/// What ends a session, for whoever waits for it.
private final class EndLatch: Sendable {
    enum End: Sendable {
        case signal
        case expired
    }

    private struct State {
        var end: End?
        var waiters: [CheckedContinuation<End, Never>] = []
    }

    private let state = Mutex(State())

    /// The first end counts.
    func open(_ end: End) {
        let waiters = state.withLock { state in
            guard state.end == nil else { return [CheckedContinuation<End, Never>]() }
            state.end = end
            let waiters = state.waiters
            state.waiters = []
            return waiters
        }
        for waiter in waiters { waiter.resume(returning: end) }
    }

    func wait() async -> End {
        await withCheckedContinuation { continuation in
            let end = state.withLock { state in
                if state.end == nil { state.waiters.append(continuation) }
                return state.end
            }
            if let end { continuation.resume(returning: end) }
        }
    }
}
