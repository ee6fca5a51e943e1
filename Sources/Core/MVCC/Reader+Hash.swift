internal import StrakeLMDB
internal import StrakeModel
internal import StrakeTables

// Live history is, with C the compact revision: of each key the newest put below C, unless a change at or before C
// followed it; and every change from C on. So the hash walks the keys at C, then the changes.
extension Reader {
    private static var sliceBytes: Int { 4 << 20 }

    /// Hashes the live history up to `revision`; zero or less is the newest. Takes long: one look-up for each key.
    ///
    /// Works in slices with a view each, so it pins no pages for long, but holds history from the compact revision on.
    package func hashKV(revision requested: Int64) throws(MVCCError) -> KVHash {
        let (snapshot, slot) = publication.open()
        let compactRevision = snapshot.compactRevision
        let hold = publication.take(at: compactRevision)
        publication.close(slot)
        defer { hold.release() }
        let revision = try snapshot.mainRevision(requested)

        var hasher = HistoryHasher()
        var from: [UInt8]? = KeyRange.all.lower
        while let key = from {
            from = try withView { view throws(MVCCError) in
                try view.snapshot.checkResumed(at: compactRevision, generation: snapshot.generation)
                return try view.addKeys(from: key, at: compactRevision, to: &hasher, budget: Self.sliceBytes)
            }
        }
        var position: Revision? = Revision(main: compactRevision)
        while let start = position {
            position = try withView { view throws(MVCCError) in
                try view.snapshot.checkResumed(at: compactRevision, generation: snapshot.generation)
                return try view.addEvents(from: start, through: revision, to: &hasher, budget: Self.sliceBytes)
            }
        }
        return KVHash(hash: hasher.value, compactRevision: compactRevision, hashRevision: revision)
    }

    /// Hashes all live history.
    package func hash() throws(MVCCError) -> UInt32 { try hashKV(revision: 0).hash }
}

extension ReadView {
    /// Adds the puts below `main` that are still what their keys hold at `main`. Returns the key to go on from.
    fileprivate mutating func addKeys(
        from: [UInt8], at main: Int64, to hasher: inout HistoryHasher, budget: Int
    ) throws(MVCCError) -> [UInt8]? {
        if main == 0 { return nil }
        let snapshot = snapshot
        return try MVCCError.storage { () throws(TableError) in
            var left = budget
            var next: [UInt8]?
            var buffer = RecordBuffer()
            let range = KeyRange(lower: from, upper: .unbounded)
            try snapshot.scan(range, at: main, reading: &reading) { key, state, txn throws(TableError) in
                left -= key.count + MemoryLayout<CurrentEntry>.size
                if state.entry.modRevision.main < main {
                    let event = try snapshot.event(of: state, in: txn, buffer: &buffer)
                    hasher.add(event)
                    left -= event.value.count
                }
                if left > 0 { return true }
                next = [UInt8](key) + [0]
                return false
            }
            return next
        }
    }

    /// Adds changes in order. Under a hold: below the compact revision there may be more by now.
    fileprivate mutating func addEvents(
        from: Revision, through last: Int64, to hasher: inout HistoryHasher, budget: Int
    ) throws(MVCCError) -> Revision? {
        let snapshot = snapshot
        return try MVCCError.storage { () throws(TableError) in
            var slice = EventSlice(budget: budget, cut: .anywhere)
            return try snapshot.events(from: from, through: last, &slice, reading: &reading) { hasher.add($0) }
        }
    }
}
