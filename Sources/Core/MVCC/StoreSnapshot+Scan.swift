internal import StrakeLMDB
internal import StrakeModel
internal import StrakeTables

// Keys in order at one revision.
extension StoreSnapshot {
    /// Visits the keys of `range` that live at `main`, in order, until `visit` returns false.
    ///
    /// The key that `visit` is lent is good inside the call.
    func scan(
        _ range: KeyRange, at main: Int64, reading: inout LazyTransaction,
        _ visit: (UnsafeRawBufferPointer, KeyState, borrowing ReadTransaction) throws(TableError) -> Bool
    ) throws(TableError) {
        if range.isEmpty { return }
        try range.lower.withBytes { lower throws(TableError) in
            switch range.upper {
            case .single:
                guard let state = try state(of: lower, at: main, reading: &reading), state.isAlive else { return }
                try reading.with { txn throws(TableError) in _ = try visit(lower, state, txn) }
            case .unbounded:
                try reading.with { txn throws(TableError) in
                    try merge(from: lower, before: nil, at: main, in: txn, visit)
                }
            case .before(let end):
                try end.withBytes { end throws(TableError) in
                    try reading.with { txn throws(TableError) in
                        try merge(from: lower, before: end, at: main, in: txn, visit)
                    }
                }
            }
        }
    }

    private func merge(
        from lower: UnsafeRawBufferPointer, before end: UnsafeRawBufferPointer?, at main: Int64,
        in txn: borrowing ReadTransaction,
        _ visit: (UnsafeRawBufferPointer, KeyState, borrowing ReadTransaction) throws(TableError) -> Bool
    ) throws(TableError) {
        var recent = LayersCursor(layers)
        recent.seek(atOrAfter: lower)
        var stored = try tables.current.cursor(in: txn)
        var hasStored = try stored.seek(atOrAfter: lower)
        while true {
            let order = order(recent.event, hasStored ? stored.key : nil)
            let key: UnsafeRawBufferPointer
            let state: KeyState?
            if order <= 0, let event = recent.event {
                key = event.key
                if let end, KeyOrder.compare(key, end) >= 0 { return }
                let isSeen = event.revision.main <= main
                state = isSeen ? KeyState(memory: event) : try walk(from: event.header, to: main, in: txn)
            } else if hasStored {
                key = stored.key
                if let end, KeyOrder.compare(key, end) >= 0 { return }
                state = try resolve(stored.entry, at: main, in: txn)
            } else {
                return
            }
            if let state, state.isAlive, try !visit(key, state, txn) { return }
            if order <= 0 { recent.next() }
            if order >= 0, hasStored { hasStored = try stored.next() }
        }
    }

    /// How the next key in memory sorts to the next one stored; none sorts last. Two ends: above zero.
    private func order(_ event: EventPointer?, _ stored: UnsafeRawBufferPointer?) -> Int {
        guard let event else { return 1 }
        guard let stored else { return -1 }
        return KeyOrder.compare(event.key, stored)
    }
}
