package import StrakeModel
internal import StrakeTables

// What requests that are being applied see: everything before them, and their own changes.
extension RevisionStore {
    /// Not for other threads, and good until the next change.
    var snapshot: StoreSnapshot {
        StoreSnapshot(
            layers: Layers(active: active.view, frozen: frozen), tables: tables, revision: requestRevision,
            compactRevision: compactRevision, keyCount: keyCount, storedRevision: revision, generation: generation)
    }

    /// The main revision that a read sees now: the request's own once it has changed something.
    var requestRevision: Int64 { changeCount > 0 ? revision + 1 : revision }

    /// The newest event of a key, tombstones included.
    mutating func state(of key: UnsafeRawBufferPointer) throws(TableError) -> KeyState? {
        if let event = active.find(key) ?? frozen?.keys?.find(key) { return KeyState(memory: event) }
        let current = tables.current
        let stored = try reading.with { txn throws(TableError) in try current.entry(for: key, in: txn) }
        guard let stored else { return nil }
        if stored.modRevision.main <= revision { return KeyState(stored: stored) }
        // The file holds the start of a checkpoint from before a crash.
        let snapshot = snapshot
        return try reading.with { txn throws(TableError) in try snapshot.resolve(stored, at: .max, in: txn) }
    }

    /// Reads what is applied, published or not.
    package mutating func range(_ request: RangeRequest) throws(MVCCError) -> RangeResponse {
        var bytesLeft = Int.max
        return try range(request, bytesLeft: &bytesLeft)
    }

    /// - Parameter bytesLeft: As of a snapshot's `range`, and what was looked at counts too.
    mutating func range(_ request: RangeRequest, bytesLeft: inout Int) throws(MVCCError) -> RangeResponse {
        let snapshot = snapshot
        let main = try snapshot.mainRevision(request.revision)
        var left = bytesLeft
        let response = try MVCCError.storage { () throws(TableError) in
            try snapshot.range(request, at: main, bytesLeft: &left, reading: &reading)
        }
        bytesLeft = left - response.lookedAtBytes
        return response
    }

    /// The keys attached to a lease, in order.
    package mutating func keys(attachedTo lease: LeaseID) throws(MVCCError) -> [[UInt8]] {
        let snapshot = snapshot
        return try MVCCError.storage { () throws(TableError) in
            try snapshot.keys(attachedTo: lease, reading: &reading)
        }
    }
}
