internal import StrakeMVCC
internal import StrakeModel
internal import Synchronization

/// Where a scan is.
final class ScanCursor: Sendable {
    private enum State {
        case resting(Rest, since: Int64)
        case reading
        case done
        /// Nobody asked for more in time, or the store was closed.
        case over(EmbeddedStoreError)
    }

    /// What is still to be read, with the way to it: a scan that is over holds nothing of the store.
    private struct Rest: Sendable {
        var plan: RangePlan
        var reader: Reader
    }

    let returned: Int
    let count: Int64
    let revision: Int64
    private let state: Mutex<State>
    private let readers: ReaderThreads
    private let pieceBytes: Int

    init(_ plan: RangePlan, reader: Reader, readers: ReaderThreads, pieceBytes: Int) {
        (returned, count, revision) = (plan.returned, plan.count, plan.revision)
        state = Mutex(.resting(Rest(plan: plan, reader: reader), since: MonotonicClock.milliseconds))
        self.readers = readers
        self.pieceBytes = pieceBytes
    }

    /// The next keys; none at the end.
    nonisolated(nonsending) func next() async throws(EmbeddedStoreError) -> [KeyValue] {
        guard let rest = try begin() else { return [] }
        let pieceBytes = pieceBytes
        do throws(EmbeddedStoreError) {
            let (piece, more) = try await readers.read { () throws(EmbeddedStoreError) in
                try Self.read(rest, bytes: pieceBytes)
            }
            end(with: more.map { .resting($0, since: MonotonicClock.milliseconds) } ?? .done)
            return piece
        } catch {
            end(with: .done)
            throw error
        }
    }

    private func begin() throws(EmbeddedStoreError) -> Rest? {
        try state.withLock { state throws(EmbeddedStoreError) -> Rest? in
            switch state {
            case .resting(let rest, _):
                state = .reading
                return rest
            case .reading: preconditionFailure("two tasks read one scan")
            case .done: return nil
            case .over(let error): throw error
            }
        }
    }

    private func end(with next: State) {
        state.withLock { state in
            // Unless the store was closed meanwhile.
            if case .reading = state { state = next }
        }
    }

    private static func read(_ rest: Rest, bytes: Int) throws(EmbeddedStoreError) -> ([KeyValue], Rest?) {
        var (rest, piece): (Rest, [KeyValue]) = (rest, [])
        do throws(MVCCError) {
            let isLast = try rest.reader.withView { view throws(MVCCError) in
                try view.next(&rest.plan, byteBudget: bytes) { piece.append(KeyValue($0)) }
            }
            if isLast { rest.plan.release() }
            return (piece, isLast ? nil : rest)
        } catch {
            rest.plan.release()
            throw EmbeddedStoreError(error)
        }
    }

    /// Gives up a scan that nobody has read from since.
    func expire(before deadline: Int64) {
        state.withLock { state in
            guard case .resting(let rest, let since) = state, since < deadline else { return }
            rest.plan.release()
            state = .over(.scanStalled)
        }
    }

    /// The store is closed.
    func close() {
        state.withLock { state in
            switch state {
            case .resting, .reading: state = .over(.refused(.stopped))
            case .done, .over: break
            }
        }
    }
}

/// The scans that are open, to end those that hold history and do not move.
final class ScanRegister: Sendable {
    private struct Entry {
        weak var cursor: ScanCursor?
    }

    private struct State {
        var entries: [Entry] = []
        var isClosed = false
    }

    private let state = Mutex(State())

    /// - Returns: False after `close`.
    func add(_ cursor: ScanCursor) -> Bool {
        state.withLock { state in
            if !state.isClosed { state.entries.append(Entry(cursor: cursor)) }
            return !state.isClosed
        }
    }

    func expire(stallSeconds: Int) {
        let deadline = MonotonicClock.milliseconds - Int64(stallSeconds) * 1_000
        for cursor in open { cursor.expire(before: deadline) }
    }

    /// The scans end, and hold nothing of the store any more.
    func close() {
        state.withLock { $0.isClosed = true }
        for cursor in open { cursor.close() }
    }

    private var open: [ScanCursor] {
        state.withLock { state in
            state.entries.removeAll { $0.cursor == nil }
            return state.entries.compactMap(\.cursor)
        }
    }
}
