internal import StrakeFileCalls
internal import Synchronization

/// What a `PowerCut` has seen.
final class Recording: FileCallObserver {
    private struct State {
        var operations: [FileOperation] = []
        var errno: Int32?
        var callsUntilErrno = 0
    }

    private let state = Mutex(State())
    private let note: @Sendable () -> Int

    init(note: @escaping @Sendable () -> Int) {
        self.note = note
    }

    var operations: [FileOperation] { state.withLock { $0.operations } }
    var count: Int { state.withLock { $0.operations.count } }

    func fail(with errno: Int32?, after count: Int) {
        state.withLock { state in
            state.errno = errno
            state.callsUntilErrno = count
        }
    }

    /// Writes and syncs fail when they are to; names and lengths are no concern of the disk's.
    func refusal(of call: FileCall, on file: String) -> Int32 {
        switch call {
        case .truncate, .rename, .remove: return 0
        case .write, .sync: break
        }
        return state.withLock { state in
            guard let errno = state.errno else { return 0 }
            if state.callsUntilErrno == 0 { return errno }
            state.callsUntilErrno -= 1
            return 0
        }
    }

    func done(_ call: FileCall, on file: String, number: UInt64) {
        let note = note()
        state.withLock { state in
            state.operations.append(FileOperation(sequence: number, file: file, kind: call, note: note))
        }
    }
}
