internal import CPowerCut
internal import Glibc
internal import Synchronization

/// The one place where the C side's reports arrive, for all recordings of the process.
enum Observer {
    private struct Recording {
        var directory: String
        var note: @Sendable () -> Int
        var operations: [FileOperation] = []
        var errno: Int32?
        var callsUntilErrno = 0
    }

    private struct State {
        var recordings: [UInt64: Recording] = [:]
        var sequence: UInt64 = 0
        var lastID: UInt64 = 0
    }

    private static let state = Mutex(State())

    static var isInPlace: Bool { power_cut_is_in_place() != 0 }

    // MARK: For recordings

    static func register(directory: String, note: @escaping @Sendable () -> Int) -> UInt64 {
        state.withLock { state in
            state.lastID += 1
            state.recordings[state.lastID] = Recording(directory: directory, note: note)
            power_cut_observe(callbacks.pointer)
            return state.lastID
        }
    }

    static func unregister(_ id: UInt64) {
        state.withLock { state in
            state.recordings[id]?.directory = ""
            state.recordings[id]?.errno = nil
            if state.recordings.values.allSatisfy({ $0.directory.isEmpty }) { power_cut_observe(nil) }
        }
    }

    static func count(_ id: UInt64) -> Int { state.withLock { $0.recordings[id]?.operations.count ?? 0 } }

    static func operations(_ id: UInt64) -> [FileOperation] {
        state.withLock { $0.recordings[id]?.operations ?? [] }
    }

    static func fail(_ id: UInt64, _ errno: Int32?, after count: Int) {
        state.withLock { state in
            state.recordings[id]?.errno = errno
            state.recordings[id]?.callsUntilErrno = count
        }
    }

    // MARK: From the C side

    private struct Callbacks: @unchecked Sendable {
        let pointer: UnsafeMutablePointer<power_cut_observer>
    }

    /// Lives as long as the process.
    private static let callbacks: Callbacks = {
        let pointer = UnsafeMutablePointer<power_cut_observer>.allocate(capacity: 1)
        pointer.initialize(
            to: power_cut_observer(
                wrote: { fd, bytes, count, offset, durable in
                    let bytes = [UInt8](UnsafeRawBufferPointer(start: bytes, count: count))
                    Observer.record(fd, .write(bytes: bytes, offset: Int(offset), isDurable: durable != 0))
                },
                syncing: { Observer.state.withLock { $0.sequence + 1 } },
                synced: { fd, began in Observer.record(fd, .sync(began: began)) },
                truncated: { fd, length in Observer.record(fd, .truncate(length: Int(length))) },
                renamed: { from, to in
                    guard let from, let to else { return }
                    Observer.recordRename(Files.resolved(String(cString: from)), Files.resolved(String(cString: to)))
                },
                removed: { path in
                    if let path { Observer.record(Files.resolved(String(cString: path)), .remove) }
                },
                refuses: { fd, _ in Observer.refusal(fd) }))
        return Callbacks(pointer: pointer)
    }()

    private static func record(_ fd: Int32, _ kind: FileOperation.Kind) { record(Files.path(of: fd), kind) }

    private static func record(_ path: String, _ kind: FileOperation.Kind) {
        state.withLock { state in
            state.sequence += 1
            for id in state.recordings.keys {
                guard let recording = state.recordings[id],
                    let file = Files.name(of: path, in: recording.directory)
                else { continue }
                state.recordings[id]?.operations.append(
                    FileOperation(sequence: state.sequence, file: file, kind: kind, note: recording.note()))
            }
        }
    }

    private static func recordRename(_ from: String, _ to: String) {
        state.withLock { state in
            state.sequence += 1
            for (id, recording) in state.recordings {
                guard let file = Files.name(of: from, in: recording.directory),
                    let name = Files.name(of: to, in: recording.directory)
                else { continue }
                state.recordings[id]?.operations.append(
                    FileOperation(sequence: state.sequence, file: file, kind: .rename(to: name)))
            }
        }
    }

    private static func refusal(_ fd: Int32) -> Int32 {
        // Most calls are of nobody's files, and most recordings never fail one.
        guard state.withLock({ $0.recordings.values.contains { $0.errno != nil } }) else { return 0 }
        let path = Files.path(of: fd)
        return state.withLock { state in
            for (id, recording) in state.recordings {
                guard let errno = recording.errno, Files.name(of: path, in: recording.directory) != nil else {
                    continue
                }
                if recording.callsUntilErrno == 0 { return errno }
                state.recordings[id]?.callsUntilErrno -= 1
            }
            return 0
        }
    }
}
