internal import StrakeLMDB
internal import StrakeModel
internal import StrakeTables

/// How far a layer is written, from one transaction to the next.
struct CheckpointProgress {
    static let pageBytes = 4_096

    private let layer: LayerSnapshot
    private var events: Int
    private var leaseEvents: Int
    private var keys: KeyCursor

    init(_ layer: LayerSnapshot) {
        self.layer = layer
        events = layer.events.startIndex
        leaseEvents = layer.leaseEvents.startIndex
        keys = KeyCursor(root: layer.keys)
        keys.first()
    }

    /// Writes until `budget` bytes of pages are changed, by estimate. Returns true when nothing is left.
    mutating func write(
        _ budget: inout Int, _ tables: StoreTables, in txn: borrowing WriteTransaction
    ) throws(TableError) -> Bool {
        try writeHistory(&budget, tables, in: txn)
        try writeLeaseRows(&budget, tables, in: txn)
        try writeKeys(&budget, tables, in: txn)
        return events == layer.events.endIndex && leaseEvents == layer.leaseEvents.endIndex && keys.event == nil
    }

    private mutating func writeHistory(
        _ budget: inout Int, _ tables: StoreTables, in txn: borrowing WriteTransaction
    ) throws(TableError) {
        guard events < layer.events.endIndex else { return }
        var writer = try tables.history.writer(in: txn)
        while events < layer.events.endIndex, budget > 0 {
            let event = layer.events.pointer(at: events)
            try writer.append(event.header, key: event.key, value: event.value)
            // Appended, so pages fill up; half as much again for what a page cannot use.
            budget -= (event.key.count + event.value.count + EventStorage.overheadBytes) * 3 / 2
            events += 1
        }
    }

    private mutating func writeLeaseRows(
        _ budget: inout Int, _ tables: StoreTables, in txn: borrowing WriteTransaction
    ) throws(TableError) {
        while leaseEvents < layer.leaseEvents.endIndex, budget > 0 {
            let row = layer.leaseEvents.pointer(at: leaseEvents)
            try tables.leaseKeys.put(LeaseRow(lease: row.header.lease, revision: row.revision), in: txn)
            budget -= Self.pageBytes
            leaseEvents += 1
        }
    }

    private mutating func writeKeys(
        _ budget: inout Int, _ tables: StoreTables, in txn: borrowing WriteTransaction
    ) throws(TableError) {
        guard keys.event != nil, budget > 0 else { return }
        var writer = try tables.current.writer(in: txn)
        while let event = keys.event, budget > 0 {
            try writer.put(event.key, CurrentEntry(event.header))
            // In order, but each may fall on a page of its own, and a long key on several.
            budget -= Self.pageBytes * (1 + event.key.count / 490)
            keys.next()
        }
    }
}
