internal import CFileCalls
internal import Glibc
internal import Synchronization

/// The one place where the C side's reports arrive, for all observers of the process.
package enum FileCalls {
    private struct Watch {
        var directory: String
        weak var observer: (any FileCallObserver)?
    }

    private struct State {
        var watches: [UInt64: Watch] = [:]
        var lastID: UInt64 = 0
        var number: UInt64 = 0

        /// Those that have the path below their directory, and its name there.
        func observers(of path: String) -> [(observer: any FileCallObserver, file: String)] {
            watches.values.compactMap { watch in
                guard let file = FilePaths.name(of: path, in: watch.directory), let observer = watch.observer else {
                    return nil
                }
                return (observer, file)
            }
        }
    }

    private static let state = Mutex(State())

    /// Whether the process's calls can be seen at all.
    package static var areInPlace: Bool { file_calls_are_in_place() != 0 }

    /// In a child process: a lock may have been held by a thread that is not there.
    package static func observeNothing() { file_calls_observe(nil) }

    // MARK: For observers

    static func add(_ observer: any FileCallObserver, on directory: String) -> UInt64 {
        state.withLock { state in
            state.lastID += 1
            state.watches[state.lastID] = Watch(directory: directory, observer: observer)
            file_calls_observe(callbacks.pointer)
            return state.lastID
        }
    }

    static func remove(_ id: UInt64) {
        state.withLock { state in
            state.watches[id] = nil
            if state.watches.isEmpty { file_calls_observe(nil) }
        }
    }

    // MARK: From the C side

    private struct Callbacks: @unchecked Sendable {
        let pointer: UnsafeMutablePointer<file_calls_observer>
    }

    /// Lives as long as the process.
    private static let callbacks: Callbacks = {
        let pointer = UnsafeMutablePointer<file_calls_observer>.allocate(capacity: 1)
        pointer.initialize(
            to: file_calls_observer(
                writing: { fd, parts, count, offset, durable in
                    FileCalls.refusal(FilePaths.path(of: fd)) { _ in
                        let parts = UnsafeBufferPointer(start: parts, count: Int(count))
                        let bytes = parts.reduce(into: [UInt8]()) { bytes, part in
                            bytes += UnsafeRawBufferPointer(start: part.iov_base, count: part.iov_len)
                        }
                        return .write(bytes: bytes, offset: Int(offset), isDurable: durable != 0)
                    }
                },
                wrote: { fd, bytes, count, offset, durable in
                    FileCalls.done(FilePaths.path(of: fd)) { _ in
                        let bytes = [UInt8](UnsafeRawBufferPointer(start: bytes, count: count))
                        return .write(bytes: bytes, offset: Int(offset), isDurable: durable != 0)
                    }
                },
                syncing: { fd, began in
                    began?.pointee = FileCalls.state.withLock { $0.number + 1 }
                    return FileCalls.refusal(FilePaths.path(of: fd)) { _ in .sync(began: 0) }
                },
                synced: { fd, began in FileCalls.done(FilePaths.path(of: fd)) { _ in .sync(began: began) } },
                truncating: { fd, length in
                    FileCalls.refusal(FilePaths.path(of: fd)) { _ in .truncate(length: Int(length)) }
                },
                truncated: { fd, length in
                    FileCalls.done(FilePaths.path(of: fd)) { _ in .truncate(length: Int(length)) }
                },
                renaming: { from, to in FileCalls.renaming(from, to, FileCalls.refusal) ?? 0 },
                renamed: { from, to in FileCalls.renaming(from, to, FileCalls.done) },
                removing: { path in
                    guard let path else { return 0 }
                    return FileCalls.refusal(FilePaths.resolved(String(cString: path))) { _ in .remove }
                },
                removed: { path in
                    guard let path else { return }
                    FileCalls.done(FilePaths.resolved(String(cString: path))) { _ in .remove }
                }))
        return Callbacks(pointer: pointer)
    }()

    /// - Parameter call: Made for each observer, of what the path has in front of the file's name. Nil: not for that one.
    private static func refusal(_ path: String, _ call: (_ directory: Substring) -> FileCall?) -> Int32 {
        for (observer, file) in state.withLock({ $0.observers(of: path) }) {
            guard let call = call(path.dropLast(file.count)) else { continue }
            let error = observer.refusal(of: call, on: file)
            if error != 0 { return error }
        }
        return 0
    }

    private static func done(_ path: String, _ call: (_ directory: Substring) -> FileCall?) {
        state.withLock { state in
            state.number += 1
            for (observer, file) in state.observers(of: path) {
                guard let call = call(path.dropLast(file.count)) else { continue }
                observer.done(call, on: file, number: state.number)
            }
        }
    }

    private static func renaming<R>(
        _ from: UnsafePointer<CChar>?, _ to: UnsafePointer<CChar>?,
        _ tell: (String, (Substring) -> FileCall?) -> R
    ) -> R? {
        guard let from, let to else { return nil }
        let target = FilePaths.resolved(String(cString: to))
        return tell(FilePaths.resolved(String(cString: from))) { directory in
            // Elsewhere it would be another file.
            target.hasPrefix(directory) ? .rename(to: String(target.dropFirst(directory.count))) : nil
        }
    }
}

/// An observer is told of the calls below a directory as long as this lives. It does not keep the observer alive.
package final class FileCallWatch: Sendable {
    /// The directory without links in its path.
    package let directory: String
    private let id: UInt64

    /// - Parameter directory: An existing one.
    package init(_ directory: String, _ observer: any FileCallObserver) {
        self.directory = FilePaths.real(directory)
        id = FileCalls.add(observer, on: self.directory)
    }

    /// From now on the observer hears nothing.
    package func end() { FileCalls.remove(id) }

    deinit { end() }
}
