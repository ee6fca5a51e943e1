internal import DequeModule
internal import StrakeModel
internal import Synchronization

/// What waits for the reader of one watch: bounded, since events beyond the bound stay in history until it has read.
///
/// The desk's thread alone puts in, one task at a time takes out.
final class WatchMailbox: Sendable {
    typealias Outcome = Result<EmbeddedStore.WatchUpdate?, EmbeddedStoreError>
    private typealias Waiter = UnsafeContinuation<Outcome, Never>

    private struct Letter {
        var update: EmbeddedStore.WatchUpdate
        var bytes: Int
    }

    private struct State {
        var letters = Deque<Letter>()
        /// Of all letters.
        var bytes = 0
        /// Something was turned away: the desk is to hear when there is room again.
        var isBlocked = false
        /// What comes behind the letters, again and again.
        var end: Outcome?
        var waiter: Waiter?
        /// The first revision that was not taken out yet.
        var nextRevision: Int64
    }

    private let state: Mutex<State>
    private let bytesMax: Int
    private let onRoom: @Sendable () -> Void

    /// - Parameter onRoom: Called when there is room again after something was turned away.
    init(startRevision: Int64, bytesMax: Int, onRoom: @escaping @Sendable () -> Void) {
        state = Mutex(State(nextRevision: startRevision))
        self.bytesMax = bytesMax
        self.onRoom = onRoom
    }

    /// The first revision that the reader has not got.
    var nextRevision: Int64 { state.withLock { $0.nextRevision } }

    // MARK: In

    /// A watch from now on begins here.
    func begin(at revision: Int64) {
        state.withLock { $0.nextRevision = revision }
    }

    /// Says no once there are more bytes than the bound, and notes that it did.
    func hasRoom() -> Bool {
        state.withLock { state in
            if state.bytes > bytesMax { state.isBlocked = true }
            return !state.isBlocked
        }
    }

    func put(_ update: EmbeddedStore.WatchUpdate, bytes: Int) {
        let waiter: Waiter? = state.withLock { state in
            if state.end != nil { return nil }
            if let waiter = state.waiter.take() {
                state.nextRevision = update.revision + 1
                return waiter
            }
            state.letters.append(Letter(update: update, bytes: bytes))
            state.bytes += bytes
            return nil
        }
        waiter?.resume(returning: .success(update))
    }

    /// Progress that has not been read is overtaken by later progress.
    func putProgress(revision: Int64) {
        state.withLock { state in
            if let last = state.letters.last, last.update.events.isEmpty { state.letters.removeLast() }
        }
        put(EmbeddedStore.WatchUpdate(events: [], revision: revision), bytes: 0)
    }

    /// Behind what is there already nothing comes but this. The first end counts.
    func end(_ outcome: Outcome) {
        let waiter: Waiter? = state.withLock { state in
            if state.end == nil { state.end = outcome }
            return state.waiter.take()
        }
        waiter?.resume(returning: outcome)
    }

    /// Revisions up to here were compacted away before the reader came to them.
    func endCompacted(_ compactRevision: Int64) {
        let requested = state.withLock { ($0.letters.last?.update.revision).map { $0 + 1 } ?? $0.nextRevision }
        end(.failure(.refused(.compacted(requested: requested, compactRevision: compactRevision))))
    }

    // MARK: Out

    /// The next update; nil at the end, and when the task is canceled.
    func next(isolation actor: isolated (any Actor)?) async -> Outcome {
        await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                if let outcome = takeOrWait(continuation) { continuation.resume(returning: outcome) }
                // The handler may have run before there was somebody to wake.
                if Task.isCancelled { giveUp() }
            }
        } onCancel: {
            giveUp()
        }
    }

    private func takeOrWait(_ waiter: Waiter) -> Outcome? {
        var hasRoomAgain = false
        let outcome: Outcome? = state.withLock { state in
            guard let letter = state.letters.popFirst() else {
                if let end = state.end { return end }
                precondition(state.waiter == nil, "two tasks wait for one watch")
                state.waiter = waiter
                return nil
            }
            state.bytes -= letter.bytes
            state.nextRevision = letter.update.revision + 1
            if state.isBlocked, state.bytes <= bytesMax / 2 {
                state.isBlocked = false
                hasRoomAgain = true
            }
            return .success(letter.update)
        }
        if hasRoomAgain { onRoom() }
        return outcome
    }

    private func giveUp() {
        let waiter = state.withLock { $0.waiter.take() }
        waiter?.resume(returning: .success(nil))
    }
}
