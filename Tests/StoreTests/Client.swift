import Dispatch
import Glibc
import StrakeMVCC
import StrakeModel
import StrakeReplication
import StrakeStateMachine
import StrakeStore
import Synchronization

/// Proposes commands and waits for their answers.
final class Client: AnswerTarget {
    struct Result: Sendable {
        var outcome: Outcome?
        var error: StoreError?
        var revision: Int64 = 0
    }

    private struct State {
        var results: [UInt64: Result] = [:]
        var readsReady: Set<UInt64> = []
        var published: [PublishedEvents] = []
        var skippedThrough: Int64 = 0
        var lastToken: UInt64 = 0
    }

    private let state = Mutex(State())
    // The store holds its targets.
    private unowned let store: Store
    private let number: Mutex<Int32> = Mutex(0)
    private nonisolated(unsafe) let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init(_ store: Store) {
        self.store = store
        sem_init(semaphore, 0, 0)
        let target = store.register(self)
        number.withLock { $0 = target }
    }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func offer(_ changes: PublishedEvents) -> Bool { true }

    func offerSkip(through revision: Int64) -> Bool { true }

    func take(_ batch: AnswerBatch) {
        state.withLock { state in
            for answer in batch.answers {
                state.results[answer.token] = Result(outcome: answer.outcome, revision: answer.revision)
            }
            for failure in batch.failures { state.results[failure.token] = Result(error: failure.error) }
            state.readsReady.formUnion(batch.readsReady)
            if let published = batch.published { state.published.append(published) }
            if let skipped = batch.skippedThrough { state.skippedThrough = skipped }
        }
        for _ in 0..<batch.answers.count + batch.failures.count + batch.readsReady.count { sem_post(semaphore) }
    }

    /// Proposes, and does not wait.
    ///
    /// - Parameter user: Who asks, by the newest users and roles.
    func begin(_ command: Command, as user: AuthName? = nil) -> UInt64 {
        let target = number.withLock { $0 }
        let token = state.withLock { state in
            state.lastToken += 1
            return state.lastToken
        }
        let identity = user.map { RequestIdentity(user: $0, authRevision: store.auth.revision) }
        let data = command.encoded(store.nextProposalID(), as: identity)
        store.propose([(data, RequestOrigin(target: target, token: token))])
        return token
    }

    func wait(for token: UInt64) -> Result {
        sem_wait(semaphore)
        return state.withLock { $0.results.removeValue(forKey: token)! }
    }

    /// Waits until the store has everything that was acknowledged before.
    func read() -> StoreError? {
        let target = number.withLock { $0 }
        let token = state.withLock { state in
            state.lastToken += 1
            return state.lastToken
        }
        if store.read(RequestOrigin(target: target, token: token)) { return nil }
        sem_wait(semaphore)
        return state.withLock { $0.results.removeValue(forKey: token)?.error }
    }

    func keepAlive(_ lease: LeaseID) -> Swift.Result<Int64, StoreError> {
        let answer = Awaited<Swift.Result<Int64, StoreError>>()
        store.keepAlive(lease) { answer.set($0) }
        return answer.value
    }

    func remaining(of lease: LeaseID) -> Swift.Result<Int64?, StoreError> {
        let answer = Awaited<Swift.Result<Int64?, StoreError>>()
        store.remaining(of: lease) { answer.set($0) }
        return answer.value
    }

    func moveLeader(to target: UInt64) -> StoreError? {
        let answer = Awaited<StoreError?>()
        store.moveLeader(to: target) { answer.set($0) }
        return answer.value
    }

    /// Proposes all at once; the results are in their order.
    func run(_ commands: [Command]) -> [Result] {
        let target = number.withLock { $0 }
        let first = state.withLock { state in
            defer { state.lastToken += UInt64(commands.count) }
            return state.lastToken + 1
        }
        store.propose(
            commands.enumerated().map { offset, command in
                let token = first + UInt64(offset)
                return (command.encoded(store.nextProposalID()), RequestOrigin(target: target, token: token))
            })
        for _ in commands { sem_wait(semaphore) }
        return state.withLock { state in
            commands.indices.map { state.results.removeValue(forKey: first + UInt64($0))! }
        }
    }

    func run(_ command: Command) -> Result { run([command])[0] }

    func put(_ key: String, _ value: String, lease: LeaseID = .none) -> Result {
        run(.put(PutRequest(key: Array(key.utf8), value: Array(value.utf8), lease: lease)))
    }

    /// The revision that a snapshot brought the store to; 0 without one.
    var skippedThrough: Int64 { state.withLock { $0.skippedThrough } }

    /// Batches published since the last call.
    func takePublished() -> [PublishedEvents] {
        state.withLock { state in
            defer { state.published = [] }
            return state.published
        }
    }
}

/// An answer that another thread gives.
final class Awaited<Value: Sendable>: Sendable {
    private let held = Mutex<Value?>(nil)
    private let given = DispatchSemaphore(value: 0)

    func set(_ value: Value) {
        held.withLock { $0 = .some(value) }
        given.signal()
    }

    /// Waits for it.
    var value: Value {
        given.wait()
        // It may be asked for again.
        given.signal()
        return held.withLock { $0! }
    }
}

extension Store {
    /// The value of a key now; `nil` when there is none.
    func value(_ key: String) throws -> String? {
        try reader.withView { view in try view.range(RangeRequest(range: .key(Array(key.utf8)))) }
            .keyValues.first.map { String(decoding: $0.value, as: UTF8.self) }
    }
}
