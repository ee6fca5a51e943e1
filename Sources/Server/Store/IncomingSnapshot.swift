internal import StrakeLog
package import StrakeRaft
internal import StrakeStateMachine
package import StrakeTables
internal import Synchronization

/// A snapshot that is built in a directory of its own, until it is whole.
package final class IncomingSnapshot: SnapshotSink {
    /// What came of it, for the store to switch to.
    package struct Staged: Sendable {
        package var metadata: SnapshotMetadata
        package var directory: String
        package var tables: StoreTables

        package init(metadata: SnapshotMetadata, directory: String, tables: StoreTables) {
            self.metadata = metadata
            self.directory = directory
            self.tables = tables
        }
    }

    private struct State: ~Copyable {
        var reader: SnapshotReader?
        var directory: String?
        var tables: StoreTables?
        var isOver = false
    }

    private struct Cancelled: Error {}

    package let metadata: SnapshotMetadata
    private let state = Mutex(State())
    private let isCancelled = Atomic(false)
    private let makeDirectory: @Sendable () throws -> (name: String, path: String)
    private let removeDirectory: @Sendable (String) -> Void
    private let finished: @Sendable (Staged) -> Void

    /// - Parameters:
    ///   - makeDirectory: Gives it an empty directory, once the first piece has come.
    ///   - removeDirectory: Takes the directory away when nothing comes of it.
    ///   - finished: Told once, when all is there and durable.
    package init(
        _ metadata: SnapshotMetadata, makeDirectory: @escaping @Sendable () throws -> (name: String, path: String),
        removeDirectory: @escaping @Sendable (String) -> Void, finished: @escaping @Sendable (Staged) -> Void
    ) {
        self.metadata = metadata
        self.makeDirectory = makeDirectory
        self.removeDirectory = removeDirectory
        self.finished = finished
    }

    deinit { cancel() }

    package func write(_ piece: [UInt8]) throws {
        defer { cleanUpIfCancelled() }
        try state.withLock { state in
            if state.isOver || isCancelled.load(ordering: .acquiring) { throw Cancelled() }
            if state.tables == nil {
                let (name, path) = try makeDirectory()
                state.directory = name
                let tables = try StoreTables(directory: path)
                state.tables = tables
                state.reader = try SnapshotReader(metadata, into: tables)
            }
            guard state.reader != nil else { throw Cancelled() }
            try state.reader!.write(piece)
        }
    }

    package func finish() throws {
        defer { cleanUpIfCancelled() }
        let staged = try state.withLock { state -> Staged in
            guard !state.isOver, !isCancelled.load(ordering: .acquiring), let reader = state.reader.take(),
                let directory = state.directory, let tables = state.tables
            else { throw Cancelled() }
            try reader.finish()
            state.isOver = true
            // Whoever still has this must not keep the environment open: it goes with the store.
            state.tables = nil
            return Staged(metadata: metadata, directory: directory, tables: tables)
        }
        finished(staged)
    }

    /// Returns at once: a piece that is being written is the last one, and cleans up behind itself.
    package func cancel() {
        isCancelled.store(true, ordering: .releasing)
        cleanUpIfCancelled()
    }

    private func cleanUpIfCancelled() {
        guard isCancelled.load(ordering: .acquiring) else { return }
        let directory: String?? = state.withLockIfAvailable { state in
            if state.isOver { return nil }
            state.isOver = true
            state.reader = nil
            state.tables = nil
            return state.directory
        }
        if case .some(.some(let name)) = directory { removeDirectory(name) }
    }
}
