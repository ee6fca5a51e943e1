internal import StrakeModel
internal import StrakeReplication
internal import Synchronization

/// Where the store's answers to an embedder arrive: finds the tasks that wait for them.
///
/// A batch takes the lock once, and then each waiting task is handed to its executor: no thread of this module stands
/// between the one that applied and the task.
final class RequestDesk: AnswerTarget {
    private enum Waiter {
        case change(Reply<Answer>)
        case read(Reply<Void>)
        /// Answered by another way than this desk, which only sees to it that nobody waits for ever.
        case other(giveUp: @Sendable (EmbeddedStoreError) -> Void)

        func fail(_ error: EmbeddedStoreError) {
            switch self {
            case .change(let reply): reply.give(.failure(error))
            case .read(let reply): reply.give(.failure(error))
            case .other(let giveUp): giveUp(error)
            }
        }
    }

    private struct State {
        /// By token.
        var waiters: [UInt64: Waiter] = [:]
        var lastToken: UInt64 = 0
        var isClosed = false

        mutating func add(_ waiter: Waiter) -> UInt64 {
            lastToken += 1
            waiters[lastToken] = waiter
            return lastToken
        }
    }

    private let state = Mutex(State())
    private let target = Atomic<Int32>(0)
    private let watches: WatchDesk

    init(watches: WatchDesk) {
        self.watches = watches
    }

    /// Called once, before anything is asked.
    func register(with store: Store) {
        target.store(store.register(self), ordering: .relaxed)
    }

    func expectAnswer() -> (RequestOrigin, Reply<Answer>) {
        let reply = Reply<Answer>()
        return (origin(state.withLock { $0.add(.change(reply)) }), reply)
    }

    func expectRead() -> (RequestOrigin, Reply<Void>) {
        let reply = Reply<Void>()
        return (origin(state.withLock { $0.add(.read(reply)) }), reply)
    }

    /// Nothing comes for it: it was had at once.
    func forget(_ origin: RequestOrigin) {
        state.withLock { _ = $0.waiters.removeValue(forKey: origin.token) }
    }

    /// What a member answers by a callback.
    nonisolated(nonsending) func ask<Value: Sendable>(
        _ question: (@escaping @Sendable (Result<Value, StoreError>) -> Void) -> Void
    ) async throws(EmbeddedStoreError) -> Value {
        let reply = Reply<Value>()
        let token: UInt64? = state.withLock { state in
            state.isClosed ? nil : state.add(.other { reply.give(.failure($0)) })
        }
        guard let token else { throw .refused(.stopped) }
        defer { forget(origin(token)) }
        question { result in reply.give(result.mapError { .refused($0) }) }
        return try await reply.value()
    }

    /// The store has ended: whoever still waits is told.
    func close() {
        let waiters = state.withLock { state in
            state.isClosed = true
            defer { state.waiters = [:] }
            return state.waiters.values.map(\.self)
        }
        for waiter in waiters { waiter.fail(.refused(.stopped)) }
    }

    private func origin(_ token: UInt64) -> RequestOrigin {
        RequestOrigin(target: target.load(ordering: .relaxed), token: token)
    }

    // MARK: AnswerTarget

    func offer(_ changes: PublishedEvents) -> Bool { watches.offer(changes) }

    func offerSkip(through revision: Int64) -> Bool { watches.offerSkip(through: revision) }

    func take(_ batch: AnswerBatch) {
        // First: who has made a change finds its event on its way to the watches.
        if batch.published != nil || batch.skippedThrough != nil { watches.ring() }
        var answers: [(Reply<Answer>, Answer)] = []
        var reads: [Reply<Void>] = []
        var failures: [(Waiter, EmbeddedStoreError)] = []
        state.withLock { state in
            for answer in batch.answers {
                guard case .change(let reply)? = state.waiters.removeValue(forKey: answer.token) else { continue }
                answers.append((reply, answer))
            }
            for token in batch.readsReady {
                guard case .read(let reply)? = state.waiters.removeValue(forKey: token) else { continue }
                reads.append(reply)
            }
            for (token, error) in batch.failures {
                guard let waiter = state.waiters.removeValue(forKey: token) else { continue }
                failures.append((waiter, .refused(error)))
            }
        }
        for (reply, answer) in answers { reply.give(.success(answer)) }
        for reply in reads { reply.give(.success(())) }
        for (waiter, error) in failures { waiter.fail(error) }
    }
}
