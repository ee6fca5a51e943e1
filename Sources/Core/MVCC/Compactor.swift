internal import StrakeLMDB
package import StrakeModel
package import StrakeTables

/// Removes compacted history from the file, on the thread that runs checkpoints.
package struct Compactor: Sendable {
    let publication: Publication
    /// For simulations, to see that they notice: a watch from the compact revision would miss a delete there.
    package var dropsTombstonesAtTarget = false

    init(publication: Publication) {
        self.publication = publication
    }

    /// Of the store as it is now: another member's may have taken its place.
    var tables: StoreTables { publication.current.tables }

    package enum Progress: Hashable, Sendable {
        /// Everything up to the compact revision of the last checkpoint is done.
        case finished
        /// There is more to do.
        case unfinished
        /// The rest waits until reads at older revisions end.
        case held
    }

    /// What one call of `runSlice` did.
    package struct Slice: Hashable, Sendable {
        package var progress: Progress
        /// Events taken from history.
        package var removed: [RemovedEvent] = []
        package var removedCount: Int { removed.count }
        /// There was nothing to do, and nothing was written.
        package var isIdle = false
    }

    /// An event that left history.
    package struct RemovedEvent: Hashable, Sendable {
        package var revision: Revision
        package var digest: UInt64
        /// Went with it.
        package var leaseRow: LeaseRow?

        init(_ header: EventHeader) {
            revision = header.revision
            digest = header.digest
            leaseRow = header.leaseRow
        }
    }

    /// Events that one slice visits unless told otherwise: a few thousand pages, well under LMDB's bound.
    package static var eventsPerSlice: Int { 2_000 }
    /// Bytes of keys that a slice keeps in memory.
    private static var keyBytesMax: Int { 16 << 20 }

    /// What is known of an event once the cursor has left it.
    private struct Visit {
        var revision: Revision
        var previous: Revision
        /// A tombstone's key.
        var deletedKey: [UInt8]?
    }

    /// One step of bounded size in one synced transaction that also records how far it came.
    ///
    /// Goes no further than what the last checkpoint wrote: applying the log again after a crash starts from there, and
    /// needs what was compacted since.
    package func runSlice(eventsMax: Int = eventsPerSlice) throws(MVCCError) -> Slice {
        let idle = try MVCCError.storage { () throws(TableError) in
            try tables.environment.read { txn throws(TableError) in
                idleProgress(try CompactionRecord.read(tables, in: txn), try CheckpointRecord.read(tables, in: txn))
            }
        }
        if let idle { return Slice(progress: idle, isIdle: true) }
        return try MVCCError.storage { () throws(TableError) in
            try tables.environment.write { txn throws(TableError) in try slice(eventsMax, in: txn) }
        }
    }

    /// Not nil when there is nothing to do now.
    private func idleProgress(_ record: CompactionRecord, _ checkpoint: CheckpointRecord) -> Progress? {
        if record.target > record.finished { return nil }
        if checkpoint.compactRevision <= record.finished { return .finished }
        return publication.compactionLimit(checkpoint.compactRevision) <= record.finished ? .held : nil
    }

    private func slice(_ eventsMax: Int, in txn: borrowing WriteTransaction) throws(TableError) -> Slice {
        var record = try CompactionRecord.read(tables, in: txn)
        let checkpoint = try CheckpointRecord.read(tables, in: txn)
        if record.target <= record.finished {
            let target = publication.compactionLimit(checkpoint.compactRevision)
            guard target > record.finished else { return Slice(progress: .held, isIdle: true) }
            // Inclusive: what was kept at the old revision, because it was not below it, may go now.
            record.next = Revision(main: record.finished)
            record.target = target
        }
        let visits = try visit(&record, eventsMax, in: txn)
        let removed = try remove(visits, record.target, in: txn)
        for event in removed { record.removedDigest &+= event.digest }
        try record.write(tables, in: txn)
        return Slice(progress: idleProgress(record, checkpoint) ?? .unfinished, removed: removed)
    }

    /// Reads events from `record.next` on and moves it. Done when the target is passed.
    private func visit(
        _ record: inout CompactionRecord, _ eventsMax: Int, in txn: borrowing WriteTransaction
    ) throws(TableError) -> [Visit] {
        var visits: [Visit] = []
        var keyBytes = 0
        var cursor = try tables.history.cursor(in: txn)
        var found = try cursor.seek(atOrAfter: record.next)
        while found, cursor.header.revision.main <= record.target {
            let header = cursor.header
            if visits.count >= max(eventsMax, 1) || keyBytes > Self.keyBytesMax {
                record.next = header.revision
                return visits
            }
            var visit = Visit(revision: header.revision, previous: header.previous)
            if header.isTombstone, header.revision.main < record.target || dropsTombstonesAtTarget {
                visit.deletedKey = [UInt8](try cursor.key())
                keyBytes += header.keyCount
            }
            visits.append(visit)
            found = try cursor.next()
        }
        record.finished = record.target
        return visits
    }

    /// Drops what a read or a watch at or after `target` can no longer meet: of each key everything below `target` but
    /// the newest, and that too if it is a tombstone.
    ///
    /// - Returns: The events that went.
    private func remove(
        _ visits: [Visit], _ target: Int64, in txn: borrowing WriteTransaction
    ) throws(TableError) -> [RemovedEvent] {
        var dropped: [Revision] = []
        for visit in visits {
            if visit.previous != .zero, visit.previous.main < target { dropped.append(visit.previous) }
            guard let key = visit.deletedKey else { continue }
            dropped.append(visit.revision)
            try dropCurrent(key, tombstone: visit.revision, in: txn)
        }
        var removed: [RemovedEvent] = []
        for revision in dropped.sorted() {
            guard let header = try dropEvent(revision, in: txn) else { continue }
            removed.append(RemovedEvent(header))
        }
        return removed
    }

    /// Unless the key was written again since.
    private func dropCurrent(
        _ key: [UInt8], tombstone: Revision, in txn: borrowing WriteTransaction
    ) throws(TableError) {
        var writer = try tables.current.writer(in: txn)
        try key.withBytes { key throws(TableError) in
            guard try writer.entry(for: key)?.modRevision == tombstone else { return }
            _ = try writer.delete(key)
        }
    }

    /// With its lease row. It may be gone already, taken by an earlier slice or as another event's predecessor.
    ///
    /// - Returns: What went.
    private func dropEvent(
        _ revision: Revision, in txn: borrowing WriteTransaction
    ) throws(TableError) -> EventHeader? {
        guard let header = try tables.history.header(at: revision, in: txn) else { return nil }
        if let row = header.leaseRow { _ = try tables.leaseKeys.delete(row, in: txn) }
        var writer = try tables.history.writer(in: txn)
        _ = try writer.delete(revision)
        return header
    }
}
