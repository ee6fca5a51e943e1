package import StrakeRaft
package import StrakeStateMachine
internal import Synchronization

/// A snapshot that is pinned for a member, over all the streams that it takes to get it there. Each stream goes on where
/// the member has come to.
package final class OutgoingSnapshot: Sendable {
    /// Streams in a row that bring the member no further, after which it is let go: what it holds is not held for ever.
    private static let triesMax = 8

    package let metadata: SnapshotMetadata
    package let name: UInt64
    fileprivate let writesOfClients: @Sendable () -> UInt64
    private let state: Mutex<State>
    private let isReleased = Atomic(false)
    /// Streams since the member was last seen to have more than before.
    private let tries = Atomic(0)
    /// The newest stream began behind where the one before had.
    private let movedOn = Atomic(false)

    private struct State {
        /// The most that the member has said to have.
        var offset: UInt64 = 0
        /// Nil once it is of no use: what it held is let go.
        var writer: SnapshotWriter?
        /// Of the newest stream; what an older one still asks for is refused.
        var stream: UInt64 = 0
        /// It could not be read, or not from where the member has come to.
        var isBroken = false
    }

    struct Cancelled: Error {}
    struct NotAtHand: Error, CustomStringConvertible {
        var offset: UInt64
        var description: String { "the stream cannot go on from byte \(offset)" }
    }

    /// - Parameter writesOfClients: Counts on with each.
    package init(
        _ writer: SnapshotWriter, name: UInt64, writesOfClients: @escaping @Sendable () -> UInt64 = { 0 }
    ) {
        metadata = writer.metadata
        self.name = name
        self.writesOfClients = writesOfClients
        state = Mutex(State(writer: writer))
    }

    /// Another try may come to its end.
    package var isUseful: Bool {
        guard !isReleased.load(ordering: .acquiring), tries.load(ordering: .relaxed) < Self.triesMax else {
            return false
        }
        // While a piece is read it is not known to be broken.
        return state.withLockIfAvailable { !$0.isBroken } ?? true
    }

    /// Does not wait for a piece that is being read: the stream's first call does.
    package func makeStream() -> OutgoingStream {
        tries.add(1, ordering: .relaxed)
        movedOn.store(false, ordering: .relaxed)
        return OutgoingStream(self)
    }

    /// The member has kept something of the streams before the newest one that it did not have when that before began.
    package var hasMovedOn: Bool { movedOn.load(ordering: .relaxed) }

    fileprivate func begin(at offset: UInt64) throws -> UInt64 {
        try reading { state in
            state.stream += 1
            if offset > state.offset {
                state.offset = offset
                tries.store(1, ordering: .relaxed)
                movedOn.store(true, ordering: .relaxed)
            }
            do {
                guard try state.writer!.resume(at: offset) else { throw NotAtHand(offset: offset) }
            } catch {
                state.isBroken = true
                throw error
            }
            return state.stream
        }
    }

    fileprivate func next(_ stream: UInt64, bytesMax: Int) throws -> [UInt8]? {
        try reading { state in
            guard state.stream == stream else { throw Cancelled() }
            do {
                return try state.writer!.next(bytesMax: bytesMax)
            } catch {
                state.isBroken = true
                throw error
            }
        }
    }

    private func reading<R>(_ body: (inout State) throws -> R) throws -> R {
        defer { cleanUpIfReleased() }
        // One thread at a time reads; the lock guards against `release`, and against the stream before.
        return try state.withLock { state in
            guard state.writer != nil, !isReleased.load(ordering: .acquiring) else { throw Cancelled() }
            return try body(&state)
        }
    }

    /// Lets go of what it holds. Returns at once: a piece that is being read is the last one.
    package func release() {
        isReleased.store(true, ordering: .releasing)
        cleanUpIfReleased()
    }

    private func cleanUpIfReleased() {
        guard isReleased.load(ordering: .acquiring) else { return }
        _ = state.withLockIfAvailable { $0.writer = nil }
    }
}

/// One try to get a pinned snapshot to its member.
package final class OutgoingStream: SnapshotSource {
    private let snapshot: OutgoingSnapshot
    /// Zero before it has begun.
    private let number = Atomic<UInt64>(0)

    init(_ snapshot: OutgoingSnapshot) {
        self.snapshot = snapshot
    }

    package var name: UInt64 { snapshot.name }

    package var writesOfClients: UInt64 { snapshot.writesOfClients() }

    package func resume(at offset: UInt64) throws {
        number.store(try snapshot.begin(at: offset), ordering: .releasing)
    }

    package func next(bytesMax: Int) throws -> [UInt8]? {
        try snapshot.next(number.load(ordering: .acquiring), bytesMax: bytesMax)
    }

    /// The snapshot stays pinned: the desk decides for how long.
    package func cancel() {}
}
