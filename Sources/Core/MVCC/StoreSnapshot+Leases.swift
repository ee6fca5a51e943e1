internal import StrakeLMDB
internal import StrakeModel
internal import StrakeTables

// Keys attached to a lease.
extension StoreSnapshot {
    private static var rowsPerPage: Int { 1_000 }

    /// The keys whose newest event is a put with this lease, in order.
    func keys(attachedTo lease: LeaseID, reading: inout LazyTransaction) throws(TableError) -> [[UInt8]] {
        var keys: [[UInt8]] = []
        for root in [layers.active.leaseRows, layers.frozen?.leaseRows] {
            for event in events(of: lease, in: root) where event.revision.main <= revision {
                if let key = try attachedKey(event.key, event.revision, reading: &reading) { keys.append(key) }
            }
        }
        try appendStoredKeys(attachedTo: lease, to: &keys, reading: &reading)
        keys.sort { $0.precedes($1) }
        // The file may hold rows that are also still in memory.
        var unique: [[UInt8]] = []
        for key in keys where key != unique.last { unique.append(key) }
        return unique
    }

    /// The puts that a layer's rows of the lease stand for.
    private func events(of lease: LeaseID, in root: KeyNode?) -> [EventPointer] {
        var found: [EventPointer] = []
        var cursor = KeyCursor(root: root)
        LeaseRow(lease: lease, revision: .zero).withKey { cursor.seek(atOrAfter: $0) }
        while let row = cursor.event, LeaseRow.lease(of: row.key) == lease {
            if let event = layers.event(at: row.revision) { found.append(event) }
            cursor.next()
        }
        return found
    }

    private func appendStoredKeys(
        attachedTo lease: LeaseID, to keys: inout [[UInt8]], reading: inout LazyTransaction
    ) throws(TableError) {
        var after = Revision.zero
        while true {
            let page = try reading.with { txn throws(TableError) in
                try tables.leaseKeys.revisions(of: lease, after: after, limit: Self.rowsPerPage, in: txn)
            }
            for revision in page where revision.main <= min(storedRevision, layers.firstMain - 1) {
                if let key = try storedKey(of: revision, reading: &reading),
                    let attached = try key.withBytes({ key throws(TableError) in
                        try attachedKey(key, revision, reading: &reading)
                    })
                {
                    keys.append(attached)
                }
            }
            guard page.count == Self.rowsPerPage, let last = page.last else { return }
            after = last
        }
    }

    private func storedKey(of revision: Revision, reading: inout LazyTransaction) throws(TableError) -> [UInt8]? {
        try reading.with { txn throws(TableError) in
            var buffer = RecordBuffer()
            return try tables.history.event(at: revision, in: txn, buffer: &buffer).map { [UInt8]($0.key) }
        }
    }

    /// The key, if `put` is its newest event.
    private func attachedKey(
        _ key: UnsafeRawBufferPointer, _ put: Revision, reading: inout LazyTransaction
    ) throws(TableError) -> [UInt8]? {
        let newest = try state(of: key, at: revision, reading: &reading)
        return newest?.entry.modRevision == put ? [UInt8](key) : nil
    }
}
