package import StrakeRaft
package import StrakeStateMachine
internal import Synchronization

/// A snapshot that is read as fast as the transport takes its pieces.
package final class OutgoingSnapshot: SnapshotSource {
    package let metadata: SnapshotMetadata
    /// Nil once it is of no use: what it held is let go.
    private let writer: Mutex<SnapshotWriter?>
    private let isCancelled = Atomic(false)

    package init(_ writer: SnapshotWriter) {
        metadata = writer.metadata
        self.writer = Mutex(writer)
    }

    private struct Cancelled: Error {}

    package func next(bytesMax: Int) throws -> [UInt8]? {
        defer { cleanUpIfCancelled() }
        // One thread at a time reads; the lock only guards against `cancel`.
        return try writer.withLock { writer in
            guard writer != nil, !isCancelled.load(ordering: .acquiring) else { throw Cancelled() }
            let piece = try writer!.next(bytesMax: bytesMax)
            if piece == nil { writer = nil }
            return piece
        }
    }

    /// Returns at once: a piece that is being read is the last one.
    package func cancel() {
        isCancelled.store(true, ordering: .releasing)
        cleanUpIfCancelled()
    }

    private func cleanUpIfCancelled() {
        guard isCancelled.load(ordering: .acquiring) else { return }
        _ = writer.withLockIfAvailable { $0 = nil }
    }
}
