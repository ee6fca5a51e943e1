internal import StrakeLMDB
package import StrakeModel
internal import StrakeTables

/// Reads all of the file, and checks every record by its checksum. History that the last checkpoint wrote is added up
/// too: it must be what the store says was ever applied, less what compaction says it took. So an event is missed that
/// liblmdb does not find any more. Lease rows, which have no checksum, are added up against the events that call for
/// them. Keys of history are looked up in `current`, where a row that is not found would read as a key that is not
/// there, and leases of keys among the leases.
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
        case historyDiffers
        /// Every row of `leaseKeys` has the form of one, and together they are not those of the events in history.
        case leaseKeysDiffer
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
        case leaseKeys(LeaseRow)
        case state
    }

    /// Sums of digests that are equal at the end of a table.
    private struct Account {
        /// Of what was read before the place, as it is now.
        var found: UInt64 = 0
        /// Of what should be there now.
        var expected: UInt64 = 0
    }

    /// A look-up may read a page of its own; damage to liblmdb's structure hides rows by the page, so some of many are
    /// enough.
    package static let eventsPerLookUp = 16

    private let tables: StoreTables
    private let eventsPerLookUp: Int
    private let leaseRecord: (@Sendable (LeaseID) -> [UInt8])?
    private var eventCount = 0
    /// Events above it are a later checkpoint's.
    private let through: Int64
    private var place = Place.history(.zero)
    private var events = Account()
    /// What is expected of them is known once history was read.
    private var leaseRows = Account()

    /// Begins with the store as it is now.
    ///
    /// - Parameter leaseRecord: The name under which the state table has a lease; nil where there are none.
    package init(
        _ compactor: Compactor, eventsPerLookUp: Int = Self.eventsPerLookUp,
        leaseRecord: (@Sendable (LeaseID) -> [UInt8])? = nil
    ) throws(MVCCError) {
        let tables = compactor.tables
        self.tables = tables
        self.eventsPerLookUp = eventsPerLookUp
        self.leaseRecord = leaseRecord
        (through, events.expected) = try MVCCError.storage { () throws(TableError) in
            try tables.environment.read { txn throws(TableError) in
                let checkpoint = try CheckpointRecord.read(tables, in: txn)
                let compaction = try CompactionRecord.read(tables, in: txn)
                return (checkpoint.revision, checkpoint.digest &- compaction.removedDigest)
            }
        }
    }

    /// Compaction has taken these since the last slice, or since the beginning.
    package mutating func note(removed: [Compactor.RemovedEvent]) {
        for event in removed where event.revision.main <= through {
            let rowDigest = event.leaseRow?.digest ?? 0
            switch place {
            case .history(let position):
                events.expected &-= event.digest
                guard event.revision < position else { continue }
                events.found &-= event.digest
                leaseRows.expected &-= rowDigest
            case .current:
                leaseRows.expected &-= rowDigest
            case .leaseKeys(let position):
                leaseRows.expected &-= rowDigest
                if let row = event.leaseRow, row < position { leaseRows.found &-= rowDigest }
            case .state:
                return
            }
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
                } else if events.found == events.expected {
                    place = .current([])
                } else {
                    slice.progress = .historyDiffers
                }
            case .current(let start):
                let next = try readCurrent(from: start, left, &slice)
                place = next.map(Place.current) ?? .leaseKeys(LeaseRow(lease: .none, revision: .zero))
            case .leaseKeys(let start):
                if let next = try readLeaseKeys(from: start, left, &slice) {
                    place = .leaseKeys(next)
                } else if leaseRows.found == leaseRows.expected {
                    place = .state
                } else {
                    slice.progress = .leaseKeysDiffer
                }
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
        var (bytes, eventCount) = (0, eventCount)
        var (eventSum, rowSum): (UInt64, UInt64) = (0, 0)
        let next = try MVCCError.storage { () throws(TableError) in
            try tables.environment.read { txn throws(TableError) -> Revision? in
                var cursor = try tables.history.cursor(in: txn)
                var isThere = try cursor.seek(atOrAfter: start)
                while isThere, cursor.header.revision.main <= through {
                    if bytes >= bytesMax { return cursor.header.revision }
                    let event = try cursor.event()
                    eventSum &+= event.header.digest
                    if let row = event.header.leaseRow { rowSum &+= row.digest }
                    eventCount += 1
                    if eventCount % eventsPerLookUp == 0 { try tables.current.expect(event, in: txn) }
                    bytes += event.key.count + event.value.count + MemoryLayout<EventHeader>.size
                    isThere = try cursor.next()
                }
                return nil
            }
        }
        self.eventCount = eventCount
        events.found &+= eventSum
        leaseRows.expected &+= rowSum
        slice.bytes += bytes
        return next
    }

    private func readCurrent(
        from start: [UInt8], _ bytesMax: Int, _ slice: inout Slice
    ) throws(MVCCError) -> [UInt8]? {
        var bytes = 0
        let next = try MVCCError.storage { () throws(TableError) in
            try tables.environment.read { txn throws(TableError) -> [UInt8]? in
                // A checkpoint may be under way; its leases come last.
                let revision = try CheckpointRecord.read(tables, in: txn).revision
                var known: Set<LeaseID> = [.none]
                var cursor = try tables.current.cursor(in: txn)
                var isThere = try start.withBytes { start throws(TableError) in try cursor.seek(atOrAfter: start) }
                while isThere {
                    if bytes >= bytesMax { return [UInt8](cursor.key) }
                    bytes += cursor.key.count + MemoryLayout<CurrentEntry>.size
                    let entry = cursor.entry
                    if let leaseRecord, entry.modRevision.main <= revision, known.insert(entry.lease).inserted {
                        try tables.state.expect(leaseRecord(entry.lease), in: txn)
                    }
                    isThere = try cursor.next()
                }
                return nil
            }
        }
        slice.bytes += bytes
        return next
    }

    private mutating func readLeaseKeys(
        from start: LeaseRow, _ bytesMax: Int, _ slice: inout Slice
    ) throws(MVCCError) -> LeaseRow? {
        let (tables, through) = (tables, through)
        var bytes = 0
        var sum: UInt64 = 0
        var next: LeaseRow?
        try MVCCError.storage { () throws(TableError) in
            try tables.environment.read { txn throws(TableError) in
                try tables.leaseKeys.scan(from: start, in: txn) { row throws(TableError) in
                    if bytes >= bytesMax {
                        next = row
                        return false
                    }
                    if row.revision.main <= through { sum &+= row.digest }
                    bytes += MemoryLayout<LeaseRow>.size
                    return true
                }
            }
        }
        leaseRows.found &+= sum
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

extension StateTable {
    /// A lease ends with its keys, in one checkpoint.
    fileprivate func expect<T: Transaction & ~Copyable>(_ lease: [UInt8], in txn: borrowing T) throws(TableError) {
        if try get(lease, in: txn) == nil { throw .corruptRecord(table: "state", key: lease, reason: .missingLease) }
    }
}
