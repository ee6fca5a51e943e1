internal import StrakeLMDB
internal import StrakeModel
package import StrakeTables

/// Makes a store of the events of another one, in empty tables and in bounded memory.
package struct StoreBuilder: ~Copyable {
    /// Memory of the changes at which they are written out. Each time most pages of `current` are written anew, so it is
    /// done seldom; the memory is less than what applying may take before it waits for a checkpoint.
    private static let layerBytesMax = 128 << 20

    private var store: RevisionStore
    private var last = Revision.zero

    package init(tables: StoreTables) throws(MVCCError) {
        store = try RevisionStore(tables: tables)
    }

    /// Adds the next event, in the order of the revisions.
    ///
    /// - Returns: False for an event that cannot come next: the stream is damaged.
    package mutating func append(_ event: EventRecord) throws(MVCCError) -> Bool {
        guard event.header.revision > last, !event.key.isEmpty else { return false }
        last = event.header.revision
        store.active.append(
            event.key.withBytes { key in
                event.value.withBytes { EventStorage.make(event.header, key: key, value: $0) }
            })
        store.revision = max(store.revision, last.main)
        if store.activeBytes >= Self.layerBytesMax { try write(appliedIndex: 0, appliedTerm: 0, stateChanges: []) }
        return true
    }

    /// Writes what is left, under the digest of the store that the events come from. On return the tables hold the store
    /// as of `revision`, durably; before, they hold nothing that could be taken for it.
    package consuming func finish(
        appliedIndex: UInt64, appliedTerm: UInt64, revision: Int64, compactRevision: Int64, digest: UInt64,
        stateChanges: [StateChange]
    ) throws(MVCCError) -> Bool {
        guard revision >= store.revision, compactRevision <= revision else { return false }
        let tables = store.tables
        let received = store.digest
        try MVCCError.storage { () throws(TableError) in
            try tables.environment.write { txn throws(TableError) in
                // Nothing came that compaction would still have to take; what it took before is the difference.
                let record = CompactionRecord(
                    finished: compactRevision, target: compactRevision, next: Revision(main: compactRevision),
                    removedDigest: digest &- received)
                try record.write(tables, in: txn)
            }
        }
        store.revision = revision
        store.compactRevision = compactRevision
        store.setDigest(digest)
        try write(appliedIndex: appliedIndex, appliedTerm: appliedTerm, stateChanges: stateChanges)
        return true
    }

    private mutating func write(
        appliedIndex: UInt64, appliedTerm: UInt64, stateChanges: [StateChange]
    ) throws(MVCCError) {
        store.publish()
        guard
            let work = store.freeze(
                appliedIndex: appliedIndex, appliedTerm: appliedTerm, stateChanges: stateChanges)
        else { return }
        _ = try work.run()
        store.finish(work)
    }
}
