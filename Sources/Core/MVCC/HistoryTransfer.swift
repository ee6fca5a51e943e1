internal import StrakeModel
package import StrakeTables

/// Everything of a store that another one needs to become it, as of one revision: of each key the newest put below the
/// compact revision that still counts there, and every change from the compact revision on.
///
/// It is read in short views, in the order of the revisions, and holds the history it needs until it is dropped.
package struct HistoryTransfer: Sendable {
    package let revision: Int64
    /// Zero: never compacted.
    package let compactRevision: Int64
    /// Of the whole store, what compaction took included.
    package let digest: UInt64
    private let reader: Reader
    private let hold: RangeHold
    private let generation: UInt64
    /// Nil at the end.
    private var position: Revision? = .zero

    init(_ store: borrowing RevisionStore) {
        revision = store.revision
        compactRevision = store.compactRevision
        digest = store.digest
        reader = store.reader
        generation = store.generation
        hold = store.publication.take(at: store.compactRevision)
    }

    package var isAtEnd: Bool { position == nil }

    /// The next events, about `byteBudget` bytes of them, at least one. Some slices are empty: nothing in them counts.
    ///
    /// - Throws: `.compacted` when another member's store has taken the place of this one.
    package mutating func next(byteBudget: Int) throws(MVCCError) -> [EventRecord] {
        try advance(byteBudget, .whole) {
            EventRecord(header: $0.header, key: [UInt8]($0.key), value: [UInt8]($0.value))
        }
    }

    /// The headers of the next events, which say how many bytes `next` would give. Values are not read.
    package mutating func nextHeaders(byteBudget: Int) throws(MVCCError) -> [EventHeader] {
        try advance(byteBudget, .keys) { $0.header }
    }

    /// Takes of each event that counts what `take` makes of it.
    private mutating func advance<Taken>(
        _ byteBudget: Int, _ parts: EventParts, _ take: (LentEvent) -> Taken
    ) throws(MVCCError) -> [Taken] {
        guard let start = position else { return [] }
        let (revision, compactRevision, generation) = (revision, compactRevision, generation)
        let (taken, next) = try reader.withView { view throws(MVCCError) in
            let snapshot = view.snapshot
            try snapshot.checkResumed(at: compactRevision, generation: generation)
            // Of each event, and of an old one what it takes to find out whether it counts.
            var events: [(taken: Taken, old: (header: EventHeader, key: [UInt8])?)] = []
            var slice = EventSlice(budget: byteBudget, cut: .anywhere)
            return try MVCCError.storage { () throws(TableError) in
                let next = try snapshot.events(
                    from: start, through: revision, &slice, parts, reading: &view.reading
                ) { event in
                    let isOld = event.header.revision.main < compactRevision
                    events.append((take(event), isOld ? (event.header, [UInt8](event.key)) : nil))
                }
                var taken: [Taken] = []
                for event in events {
                    if let old = event.old {
                        let counts = try snapshot.counts(
                            old.header, of: old.key, at: compactRevision, reading: &view.reading)
                        if !counts { continue }
                    }
                    taken.append(event.taken)
                }
                return (taken, next)
            }
        }
        position = next
        return taken
    }
}

extension StoreSnapshot {
    /// The event is what its key holds at `main`.
    fileprivate func counts(
        _ header: EventHeader, of key: [UInt8], at main: Int64, reading: inout LazyTransaction
    ) throws(TableError) -> Bool {
        if header.isTombstone { return false }
        return try key.withBytes { key throws(TableError) in
            try state(of: key, at: main, reading: &reading)?.entry.modRevision == header.revision
        }
    }
}

extension RevisionStore {
    /// Begins to hand the store over to another member. Everything applied must be published.
    package func transfer() -> HistoryTransfer { HistoryTransfer(self) }

    /// Takes the place of `old` for all its readers: reads that are under way go on where the history for them is here
    /// too, and are refused where it is not.
    package mutating func succeed(_ old: borrowing RevisionStore) {
        precondition(revision >= old.revision, "revision \(revision) after \(old.revision)")
        publication = old.publication
        generation = old.generation + 1
        publish()
    }
}
