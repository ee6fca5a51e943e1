internal import StrakeLMDB
internal import StrakeModel
internal import StrakeTables

/// Reads all of the file, and checks every record by its checksum. History that the last checkpoint wrote is added up
/// too: it must be what the store says was ever applied, less what compaction says it took. So an event is missed that
/// liblmdb does not find any more. Keys of history are looked up in `current`, where a row that is not found would read
/// as a key that is not there.
///
/// It goes in slices, on the thread that compacts or while that stands still, and must be told of what was removed
/// between two of them.
package struct StoreAudit: Sendable {
    package enum Progress: Hashable, Sendable {
        /// There is more to read.
        case unfinished
        /// All of it was read, and it is what it should be.
        case sound
        /// Every record of history is whole, and together they are not what was applied.
        case differs
    }

    /// One slice of it.
    package struct Slice: Hashable, Sendable {
        package var progress: Progress
        /// Bytes of the records that were read, about.
        package var bytes = 0
    }

    private enum Place {
        case history(Revision)
        case current([UInt8])
        case state
    }

    /// A look-up may read a page of its own; damage to liblmdb's structure hides rows by the page, so some of many are
    /// enough.
    package static let eventsPerLookUp = 16

    private let tables: StoreTables
    private let eventsPerLookUp: Int
    private var eventCount = 0
    /// Events above it are a later checkpoint's.
    private let through: Int64
    private var place = Place.history(.zero)
    /// Of the events before the place, as they are now.
    private var found: UInt64 = 0
    /// Of all events up to `through`, as they should be now.
    private var expected: UInt64

    /// Begins with the store as it is now.
    package init(_ compactor: Compactor, eventsPerLookUp: Int = Self.eventsPerLookUp) throws(MVCCError) {
        let tables = compactor.tables
        self.tables = tables
        self.eventsPerLookUp = eventsPerLookUp
        (through, expected) = try MVCCError.storage { () throws(TableError) in
            try tables.environment.read { txn throws(TableError) in
                let checkpoint = try CheckpointRecord.read(tables, in: txn)
                let compaction = try CompactionRecord.read(tables, in: txn)
                return (checkpoint.revision, checkpoint.digest &- compaction.removedDigest)
            }
        }
    }

    /// Compaction has taken these since the last slice, or since the beginning.
    package mutating func note(removed: [Compactor.RemovedEvent]) {
        guard case .history(let position) = place else { return }
        for event in removed where event.revision.main <= through {
            expected &-= event.digest
            if event.revision < position { found &-= event.digest }
        }
    }

    /// Reads about `bytesMax` bytes of records on.
    ///
    /// - Throws: `.storage` for a record that is not as it was written.
    package mutating func runSlice(bytesMax: Int) throws(MVCCError) -> Slice {
        var slice = Slice(progress: .unfinished)
        while slice.progress == .unfinished, slice.bytes < bytesMax {
            let left = bytesMax - slice.bytes
            switch place {
            case .history(let start):
                if let next = try readHistory(from: start, left, &slice) {
                    place = .history(next)
                } else if found == expected {
                    place = .current([])
                } else {
                    slice.progress = .differs
                }
            case .current(let start): place = try readCurrent(from: start, left, &slice).map(Place.current) ?? .state
            case .state:
                try readState(&slice)
                slice.progress = .sound
            }
        }
        return slice
    }

    /// - Returns: Where to go on; `nil` at the end.
    private mutating func readHistory(
        from start: Revision, _ bytesMax: Int, _ slice: inout Slice
    ) throws(MVCCError) -> Revision? {
        let (tables, through, eventsPerLookUp) = (tables, through, eventsPerLookUp)
        var bytes = 0
        var sum: UInt64 = 0
        var eventCount = eventCount
        let next = try MVCCError.storage { () throws(TableError) in
            try tables.environment.read { txn throws(TableError) -> Revision? in
                var cursor = try tables.history.cursor(in: txn)
                var isThere = try cursor.seek(atOrAfter: start)
                while isThere, cursor.header.revision.main <= through {
                    if bytes >= bytesMax { return cursor.header.revision }
                    let event = try cursor.event()
                    sum &+= event.header.digest
                    eventCount += 1
                    if eventCount % eventsPerLookUp == 0 { try tables.current.expect(event, in: txn) }
                    bytes += event.key.count + event.value.count + MemoryLayout<EventHeader>.size
                    isThere = try cursor.next()
                }
                return nil
            }
        }
        self.eventCount = eventCount
        found &+= sum
        slice.bytes += bytes
        return next
    }

    private func readCurrent(
        from start: [UInt8], _ bytesMax: Int, _ slice: inout Slice
    ) throws(MVCCError) -> [UInt8]? {
        var bytes = 0
        let next = try MVCCError.storage { () throws(TableError) in
            try tables.environment.read { txn throws(TableError) -> [UInt8]? in
                var cursor = try tables.current.cursor(in: txn)
                var isThere = try start.withBytes { start throws(TableError) in try cursor.seek(atOrAfter: start) }
                while isThere {
                    if bytes >= bytesMax { return [UInt8](cursor.key) }
                    bytes += cursor.key.count + MemoryLayout<CurrentEntry>.size
                    isThere = try cursor.next()
                }
                return nil
            }
        }
        slice.bytes += bytes
        return next
    }

    /// Small, so all at once.
    private func readState(_ slice: inout Slice) throws(MVCCError) {
        var bytes = 0
        try MVCCError.storage { () throws(TableError) in
            try tables.environment.read { txn throws(TableError) in
                try tables.state.scan(prefix: [], in: txn) { key, value throws(TableError) in
                    bytes += key.count + value.count
                    return true
                }
            }
        }
        slice.bytes += bytes
    }
}

extension CurrentTable {
    /// Every event that is left in history is its key's newest, or an older one: compaction takes a key's row with the
    /// last of them.
    fileprivate func expect<T: Transaction & ~Copyable>(
        _ event: EventView, in txn: borrowing T
    ) throws(TableError) {
        if let entry = try entry(for: event.key, in: txn), entry.modRevision >= event.header.revision { return }
        throw .corruptRecord(table: "current", key: [UInt8](event.key), reason: .missingKey)
    }
}
