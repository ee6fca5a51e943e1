internal import StrakeLMDB
package import StrakeModel
package import StrakeTables

extension ReadView {
    /// Lends the changes from `from` on, up to main revision `through`, in order, until about `byteBudget` bytes went by.
    ///
    /// - Returns: Where to go on, or nil when there is no more up to `through` and the view's revision.
    /// - Throws: `.compacted` when `from` is below the compact revision.
    package mutating func events(
        from: Revision, through: Int64, byteBudget: Int, cut: EventCut = .betweenRevisions,
        _ body: (LentEvent) -> Void
    ) throws(MVCCError) -> Revision? {
        let snapshot = snapshot
        guard from.main >= snapshot.compactRevision else {
            throw .refused(.compacted(requested: from.main, compactRevision: snapshot.compactRevision))
        }
        var slice = EventSlice(budget: byteBudget, cut: cut)
        return try MVCCError.storage { () throws(TableError) in
            try snapshot.events(from: from, through: through, &slice, reading: &reading, body)
        }
    }

    /// The key before a change, as a watcher's previous value: its state one main revision earlier.
    ///
    /// Nil on a create, when the key was deleted then, and when that revision is compacted. Decided by arithmetic, not by
    /// what is still there.
    package mutating func previous(
        of header: EventHeader, key: UnsafeRawBufferPointer
    ) throws(MVCCError) -> KeyValue? {
        let snapshot = snapshot
        let main = header.revision.main - 1
        if main < snapshot.compactRevision { return nil }
        if !header.isTombstone && header.createRevision == header.revision.main { return nil }
        return try MVCCError.storage { () throws(TableError) in
            let state = try snapshot.walk(from: header, to: main, reading: &reading)
            guard let state, state.isAlive else { return nil }
            return try snapshot.keyValue(key, state, wantsValue: true, reading: &reading)
        }
    }
}

extension StoreSnapshot {
    func events(
        from: Revision, through: Int64, _ slice: inout EventSlice, _ parts: EventParts = .whole,
        reading: inout LazyTransaction, _ body: (LentEvent) -> Void
    ) throws(TableError) -> Revision? {
        let last = min(through, revision)
        if from.main < layers.firstMain {
            // The layers have all from `firstMain` on; what the file has of it may be from before a crash.
            let lastStored = min(last, layers.firstMain - 1)
            let next = try reading.with { txn throws(TableError) in
                try storedEvents(from: from, through: lastStored, &slice, parts, in: txn, body)
            }
            if let next { return next }
        }
        for batch in [layers.frozen?.events, layers.active.events] {
            guard let batch else { continue }
            for position in batch.position(atOrAfter: from)..<batch.endIndex {
                let event = batch.pointer(at: position)
                if event.revision.main > last { return nil }
                if slice.ends(before: event.revision) { return event.revision }
                let lent = LentEvent(pointer: event)
                body(lent)
                slice.add(lent)
            }
        }
        return nil
    }

    private func storedEvents(
        from: Revision, through last: Int64, _ slice: inout EventSlice, _ parts: EventParts,
        in txn: borrowing ReadTransaction, _ body: (LentEvent) -> Void
    ) throws(TableError) -> Revision? {
        var cursor = try tables.history.cursor(in: txn)
        var found = try cursor.seek(atOrAfter: from)
        while found {
            let revision = cursor.header.revision
            if revision.main > last { return nil }
            if slice.ends(before: revision) { return revision }
            let lent: LentEvent
            switch parts {
            case .whole: lent = LentEvent(try cursor.event())
            case .keys:
                lent = LentEvent(
                    header: cursor.header, key: try cursor.key(), value: UnsafeRawBufferPointer(start: nil, count: 0))
            }
            body(lent)
            slice.add(lent)
            found = try cursor.next()
        }
        return nil
    }
}
