package import StrakeRaft
internal import Synchronization

extension DurableLog {
    /// Appends a batch with one write. It is not durable before `sync`, and recovered whole or not at all.
    ///
    /// - Parameters:
    ///   - entries: without gaps. The first may be at or below the last index: entries from there on are superseded.
    ///     It must be above the committed index.
    ///   - hardState: nil if it did not change. Its term is at least that of the entries.
    /// - Returns: bytes written, those that begin a segment included.
    @discardableResult
    package func append(entries: [Entry], hardState: HardState? = nil) throws(LogError) -> Int {
        try withWriter { (writer) throws(LogError) in
            writer.check(entries, hardState ?? writer.hardState)
            let (mark, cut) = shared.withLock { shared in
                (shared.pendingMark.take(), Self.cut(before: entries, in: shared.index))
            }
            var batch = Batch(entries: entries, hardState: hardState, mark: mark, cut: cut)
            guard batch.recordCount > 0 else { return 0 }
            var bytes = 0
            if writer.position + batch.byteCount > options.segmentBytes, writer.position > writer.begin {
                try roll(&writer, mark)
                // The new segment begins with it.
                batch.dropMark()
                bytes = writer.position
            }
            let start = writer.position
            try write(batch, &writer)
            if let mark { writer.snapshot = mark }
            return bytes + writer.position - start
        }
    }

    /// Makes everything appended durable, with one fdatasync.
    package func sync() throws(LogError) {
        try withWriter { (writer) throws(LogError) in try sync(&writer) }
    }

    /// Starts the log anew after `snapshot`, which the state machine holds durably. On return this is durable; a crash
    /// before leaves the log as it was.
    package func replaceAll(with snapshot: SnapshotMetadata) throws(LogError) {
        try withWriter { (writer) throws(LogError) in
            let last = snapshot.last
            precondition(last.index >= writer.hardState.committed, "snapshot \(last) below the committed index")
            var state = writer.hardState
            if last.term > state.term { state = HardState(term: last.term, vote: nil) }
            state.committed = last.index
            writer.hardState = state
            writer.snapshot = snapshot
            writer.last = last
            try beginSegment(&writer, isReset: true)
            let dropped = shared.withLock { shared in
                let dropped = shared.segments.dropLast()
                shared.segments = [writer.segment]
                shared.index = EntryIndex(start: last)
                shared.hardState = state
                shared.pendingMark = nil
                shared.hasUnsyncedCut = false
                return dropped
            }
            do throws(DiskError) {
                for segment in dropped { try disk.remove(segment.path) }
            } catch { throw .disk(error) }
        }
    }

    /// Syncs, and gives up files and lock. Later calls throw `.closed`.
    package func close() throws(LogError) {
        defer {
            shared.withLock { $0.fail(.closed) }
            lock.release()
        }
        try sync()
    }

    private func withWriter<Result: Sendable>(
        _ body: (inout LogWriter) throws(LogError) -> Result
    ) throws(LogError) -> Result {
        do {
            try shared.withLock { (shared) throws(LogError) in try shared.check() }
            let result = try writer.withLockIfAvailable { (writer) throws(LogError) in try body(&writer) }
            guard let result else { preconditionFailure("two threads write to the log at once") }
            return result
        } catch {
            shared.withLock { $0.fail(error) }
            throw error
        }
    }

    /// The entry that will be the last before `entries`, if some are superseded.
    private static func cut(before entries: [Entry], in index: EntryIndex) -> EntryID? {
        guard let first = entries.first?.index, first <= index.last.index else { return nil }
        guard let term = index.term(at: first - 1) else { preconditionFailure("entry \(first) below \(index.start)") }
        return EntryID(term: term, index: first - 1)
    }

    private func write(_ batch: Batch, _ writer: inout LogWriter) throws(LogError) {
        writer.encoder.begin(
            after: writer.checksum, salt: writer.segment.salt, synced: writer.synced, records: batch.recordCount,
            byteCount: batch.byteCount)
        let firstEntry = writer.position + batch.encode(into: &writer.encoder)
        try writer.segment.append(writer.encoder.bytes, at: writer.position)
        writer.position += writer.encoder.count
        writer.checksum = writer.encoder.checksum
        if let last = batch.entries.last { writer.last = last.id }
        if let state = batch.hardState { writer.hardState = state }
        let sequence = writer.segment.sequence
        shared.withLock { shared in
            if let cut = batch.cut {
                shared.index.cut(after: cut.index)
                shared.hasUnsyncedCut = true
            }
            var offset = firstEntry
            for entry in batch.entries {
                let end = offset + Batch.size(of: entry)
                shared.index.append(entry.id, sequence: sequence, bytes: offset..<end)
                offset = end
            }
            if let state = batch.hardState { shared.hardState = state }
        }
    }

    private func sync(_ writer: inout LogWriter) throws(LogError) {
        guard writer.synced < writer.position else { return }
        try writer.segment.sync()
        writer.synced = writer.position
        let snapshot = writer.snapshot
        shared.withLock { shared in
            shared.snapshot = snapshot
            shared.hasUnsyncedCut = false
        }
    }

    /// Goes on in a new segment. The old one is synced first: damage in a segment that is not the last one is then never
    /// a torn write.
    private func roll(_ writer: inout LogWriter, _ mark: SnapshotMetadata?) throws(LogError) {
        try sync(&writer)
        // Not before that sync, which tells housekeeping that the mark is durable.
        if let mark { writer.snapshot = mark }
        try beginSegment(&writer, isReset: false)
    }

    private func beginSegment(_ writer: inout LogWriter, isReset: Bool) throws(LogError) {
        let spare = shared.withLock { $0.spare.take() }
        let begun = try maker.begin(
            sequence: writer.segment.sequence + 1, start: writer.last,
            previousChecksum: isReset ? 0 : writer.checksum, isReset: isReset, hardState: writer.hardState,
            snapshot: writer.snapshot, spare: spare, encoder: &writer.encoder)
        try writer.segment.finishAppending()
        writer.take(begun)
        let snapshot = writer.snapshot
        shared.withLock { shared in
            shared.segments.append(begun.segment)
            shared.snapshot = snapshot
        }
    }
}
