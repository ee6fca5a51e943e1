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
        try add(
            event.key.withBytes { key in
                event.value.withBytes { EventStorage.make(event.header, key: key, value: $0) }
            })
        return true
    }

    /// The same of an event that another program wrote down. What it follows in its key's chain is looked up.
    package mutating func append(_ event: ImportedEvent) throws(MVCCError) -> Bool {
        let item = event.keyValue
        guard event.revision > last, !item.key.isEmpty else { return false }
        let header = try MVCCError.storage { () throws(TableError) in
            let previous = try item.key.withBytes { key throws(TableError) in try store.state(of: key) }
            return EventHeader(
                revision: event.revision, isTombstone: event.isTombstone,
                createRevision: event.isTombstone ? 0 : item.createRevision,
                version: event.isTombstone ? 0 : item.version, lease: event.isTombstone ? .none : item.lease,
                previous: previous?.entry.modRevision ?? .zero, link: try store.link(after: previous))
        }
        let value = event.isTombstone ? [] : item.value
        try add(
            item.key.withBytes { key in value.withBytes { EventStorage.make(header, key: key, value: $0) } })
        return true
    }

    private mutating func add(_ event: EventStorage) throws(MVCCError) {
        last = event.revision
        store.active.append(event)
        store.revision = max(store.revision, last.main)
        if store.activeBytes >= Self.layerBytesMax { try write(appliedIndex: 0, appliedTerm: 0, stateChanges: []) }
    }

    /// Writes what is left. On return the tables hold the store as of `revision`, durably; before, they hold nothing that
    /// could be taken for it.
    ///
    /// - Parameters:
    ///   - compacted: How far physical compaction has come; nil: to the compact revision.
    ///   - digest: Of the store that the events come from; nil: they are all there ever were.
    /// - Returns: False when the events do not fit the revisions.
    package consuming func finish(
        appliedIndex: UInt64, appliedTerm: UInt64, revision: Int64, compactRevision: Int64, compacted: Int64? = nil,
        digest: UInt64? = nil, stateChanges: [StateChange]
    ) throws(MVCCError) -> Bool {
        let finished = compacted ?? compactRevision
        guard revision >= store.revision, compactRevision <= revision, finished <= compactRevision else { return false }
        let tables = store.tables
        let received = store.digest
        try MVCCError.storage { () throws(TableError) in
            try tables.environment.write { txn throws(TableError) in
                // What compaction took before is the difference.
                let record = CompactionRecord(
                    finished: finished, target: finished, next: Revision(main: finished),
                    removedDigest: (digest ?? received) &- received)
                try record.write(tables, in: txn)
            }
        }
        store.revision = revision
        store.compactRevision = compactRevision
        store.setDigest(digest ?? received)
        try store.countKeys()
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
