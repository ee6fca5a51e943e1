internal import StrakeLMDB
internal import StrakeModel
internal import StrakeTables

// One key at one revision: the reading rule.
extension StoreSnapshot {
    /// The newest event of `key` at or before `main`, tombstones included. Nil: there was none, or compaction took it.
    func state(
        of key: UnsafeRawBufferPointer, at main: Int64, reading: inout LazyTransaction
    ) throws(TableError) -> KeyState? {
        if let event = layers.newest(of: key) {
            if event.revision.main <= main { return KeyState(memory: event) }
            return try walk(from: event.header, to: main, reading: &reading)
        }
        return try reading.with { txn throws(TableError) in
            guard let entry = try tables.current.entry(for: key, in: txn) else { return nil }
            return try resolve(entry, at: main, in: txn)
        }
    }

    /// The same from a row of `current`.
    func resolve(
        _ entry: CurrentEntry, at main: Int64, in txn: borrowing ReadTransaction
    ) throws(TableError) -> KeyState? {
        let main = min(main, storedRevision)
        if entry.modRevision.main <= main { return KeyState(stored: entry) }
        guard let header = try tables.history.header(at: entry.modRevision, in: txn) else {
            throw .missingEvent(entry.modRevision)
        }
        return try walk(from: header, to: main, in: txn)
    }

    func walk(
        from header: EventHeader, to main: Int64, in txn: borrowing ReadTransaction
    ) throws(TableError) -> KeyState? {
        try walk(from: header, to: main) { revision throws(TableError) in
            try tables.history.header(at: revision, in: txn)
        }
    }

    /// The same, touching the file only when the walk leaves memory.
    func walk(
        from header: EventHeader, to main: Int64, reading: inout LazyTransaction
    ) throws(TableError) -> KeyState? {
        try walk(from: header, to: main) { revision throws(TableError) in
            try reading.with { txn throws(TableError) in try tables.history.header(at: revision, in: txn) }
        }
    }

    /// From an event above `main` along its predecessors to the first that is not.
    private func walk(
        from header: EventHeader, to main: Int64, history: (Revision) throws(TableError) -> EventHeader?
    ) throws(TableError) -> KeyState? {
        var header = header
        while true {
            let next = header.link.predecessor(previous: header.previous, for: main)
            if next == .zero { return nil }
            if let event = layers.event(at: next) {
                if next.main <= main { return KeyState(memory: event) }
                header = event.header
            } else if let stored = try history(next) {
                if next.main <= main { return KeyState(stored: CurrentEntry(stored)) }
                header = stored
            } else {
                // Only compaction takes events away, and none at or above its revision that others point at.
                guard next.main < compactRevision else { throw .missingEvent(next) }
                return nil
            }
        }
    }
}
