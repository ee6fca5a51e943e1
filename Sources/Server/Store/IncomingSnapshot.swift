internal import StrakeLog
package import StrakeRaft
internal import StrakeStateMachine
package import StrakeTables
internal import Synchronization

/// A snapshot that is built in a directory of its own, until it is whole: over as many streams as that takes.
package final class IncomingSnapshot: Sendable {
    /// What came of it, for the store to switch to.
    package struct Staged: Sendable {
        package var metadata: SnapshotMetadata
        /// Of the snapshot that was received, by its sender.
        package var name: UInt64
        package var sender: MemberID
        package var directory: String
        package var tables: StoreTables

        package init(
            metadata: SnapshotMetadata, name: UInt64, from sender: MemberID, directory: String, tables: StoreTables
        ) {
            self.metadata = metadata
            self.name = name
            self.sender = sender
            self.directory = directory
            self.tables = tables
        }
    }

    private struct State: ~Copyable {
        var reader: SnapshotReader?
        var directory: String?
        var tables: StoreTables?
        var isOver = false
        /// Of the newest stream; what comes from an older one is refused.
        var stream: UInt64 = 0
    }

    private struct Cancelled: Error {}

    package let metadata: SnapshotMetadata
    private let name: UInt64
    private let sender: MemberID
    /// When the last stream ended, by the clock; zero while there is one.
    private let pausedAt = Atomic<Int64>(0)
    private let state = Mutex(State())
    private let isCancelled = Atomic(false)
    private let clock: @Sendable () -> Int64
    private let makeDirectory: @Sendable () throws -> (name: String, path: String)
    private let removeDirectory: @Sendable (String) -> Void
    private let finishing: @Sendable () -> Void
    private let finished: @Sendable (Staged) -> Void

    /// - Parameters:
    ///   - clock: Milliseconds that only grow.
    ///   - makeDirectory: Gives it an empty directory, once the first piece has come.
    ///   - removeDirectory: Takes the directory away when nothing comes of it.
    ///   - finishing: Told when the last piece has come, before it is made durable.
    ///   - finished: Told once, when all is there and durable.
    package init(
        _ metadata: SnapshotMetadata, name: UInt64, from sender: MemberID, clock: @escaping @Sendable () -> Int64,
        makeDirectory: @escaping @Sendable () throws -> (name: String, path: String),
        removeDirectory: @escaping @Sendable (String) -> Void, finishing: @escaping @Sendable () -> Void = {},
        finished: @escaping @Sendable (Staged) -> Void
    ) {
        self.metadata = metadata
        self.name = name
        self.sender = sender
        self.clock = clock
        self.makeDirectory = makeDirectory
        self.removeDirectory = removeDirectory
        self.finishing = finishing
        self.finished = finished
    }

    deinit { cancel() }

    /// The offer is to go on with this one, and something can still come of it.
    package func isOffered(_ metadata: SnapshotMetadata, name: UInt64, by sender: MemberID) -> Bool {
        metadata == self.metadata && name == self.name && sender == self.sender
            && !isCancelled.load(ordering: .acquiring)
    }

    /// This is what came of it.
    package func has(made staged: Staged) -> Bool {
        staged.metadata == metadata && staged.name == name && staged.sender == sender
    }

    /// The next stream, which goes on behind what is here. Nil while the disk is still busy with the last one, and when
    /// nothing more can come of it.
    package func makeStream() -> IncomingStream? {
        let begun: (number: UInt64, offset: UInt64)?? = state.withLockIfAvailable { state in
            if state.isOver || isCancelled.load(ordering: .acquiring) { return nil }
            state.stream += 1
            state.reader?.dropPart()
            return (state.stream, state.reader?.taken ?? 0)
        }
        guard case .some(.some(let begun)) = begun else { return nil }
        pausedAt.store(0, ordering: .releasing)
        return IncomingStream(self, begun.number, offset: begun.offset)
    }

    /// Milliseconds since the last stream ended; zero while there is one.
    package func pause(now: Int64) -> Int64 {
        let since = pausedAt.load(ordering: .acquiring)
        return since == 0 ? 0 : now - since
    }

    fileprivate func ended(_ stream: UInt64) {
        // A newer stream that has begun meanwhile is not held up for it.
        let isNewest = state.withLockIfAvailable { $0.stream == stream } ?? false
        if isNewest { pausedAt.store(max(clock(), 1), ordering: .releasing) }
    }

    fileprivate func write(_ piece: [UInt8], _ stream: UInt64) throws {
        defer { cleanUpIfCancelled() }
        try state.withLock { state in
            if state.isOver || state.stream != stream || isCancelled.load(ordering: .acquiring) { throw Cancelled() }
            do {
                if state.tables == nil {
                    let (name, path) = try makeDirectory()
                    state.directory = name
                    let tables = try StoreTables(directory: path)
                    state.tables = tables
                    state.reader = try SnapshotReader(metadata, into: tables)
                }
                guard state.reader != nil else { throw Cancelled() }
                try state.reader!.write(piece)
            } catch {
                // Nothing can follow a damaged piece, or one that could not be written.
                isCancelled.store(true, ordering: .releasing)
                throw error
            }
        }
    }

    fileprivate func finish(_ stream: UInt64) throws {
        defer { cleanUpIfCancelled() }
        let staged = try state.withLock { state -> Staged in
            guard !state.isOver, state.stream == stream, !isCancelled.load(ordering: .acquiring),
                let reader = state.reader.take(), let directory = state.directory, let tables = state.tables
            else { throw Cancelled() }
            finishing()
            do {
                try reader.finish()
            } catch {
                isCancelled.store(true, ordering: .releasing)
                throw error
            }
            state.isOver = true
            // Whoever still has this must not keep the environment open: it goes with the store.
            state.tables = nil
            return Staged(metadata: metadata, name: name, from: sender, directory: directory, tables: tables)
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

/// One stream of a snapshot on its way in.
package final class IncomingStream: SnapshotSink {
    package let offset: UInt64
    private let snapshot: IncomingSnapshot
    private let number: UInt64

    init(_ snapshot: IncomingSnapshot, _ number: UInt64, offset: UInt64) {
        self.snapshot = snapshot
        self.number = number
        self.offset = offset
    }

    package func write(_ piece: [UInt8]) throws { try snapshot.write(piece, number) }

    package func finish() throws { try snapshot.finish(number) }

    /// What has come stays for a while: another stream may go on from there.
    package func cancel() { snapshot.ended(number) }
}
