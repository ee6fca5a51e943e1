// The check that no key is changed twice by one transaction, where a client could not tell which change is the last.
// It sees what etcd's check sees and nothing more, on purpose: clients' transactions must fare alike.
//
// - A delete without an end ("this key and all above") overlaps nothing: etcd compares with the end as it stands on
//   the wire, the byte zero, which lies below every key.
// - A nested transaction's puts are compared with the deletes around it and with those of the nested transactions
//   before it, but not with those after it, nor with its own other branch: only one branch runs.

extension TxnRequest {
    func checkOverlaps() throws(StoreError) {
        // One read or change, the usual transaction, overlaps nothing.
        if success.count > 1 || success.contains(where: \.isTxn) { _ = try Changes(of: success) }
        if failure.count > 1 || failure.contains(where: \.isTxn) { _ = try Changes(of: failure) }
    }
}

extension RequestOp {
    fileprivate var isTxn: Bool { if case .txn = self { true } else { false } }
}

/// A key as a member of a set: hashed as a whole, where an array is hashed byte by byte.
private struct PutKey: Hashable {
    let bytes: [UInt8]

    func hash(into hasher: inout Hasher) {
        bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
    }
}

/// The keys that a list of operations puts and deletes.
private struct Changes {
    var puts: Set<PutKey> = []
    var deletes = DeletedKeys()

    init(of operations: [RequestOp]) throws(StoreError) {
        collectDeletes(of: operations)
        for case .txn(let inner) in operations {
            let success = try Changes(of: inner.success)
            let failure = try Changes(of: inner.failure)
            for key in success.puts {
                guard !puts.contains(key), !deletes.contains(key.bytes) else { throw .duplicateKey }
            }
            for key in failure.puts {
                // The puts of the other branch are not in the set yet: both branches may put the key.
                guard !puts.contains(key), !deletes.contains(key.bytes) else { throw .duplicateKey }
            }
            add(puts: success.puts)
            add(puts: failure.puts)
            deletes.formUnion(success.deletes)
            deletes.formUnion(failure.deletes)
        }
        for case .put(let put) in operations {
            guard puts.insert(PutKey(bytes: put.key)).inserted, !deletes.contains(put.key) else { throw .duplicateKey }
        }
    }

    private mutating func add(puts more: Set<PutKey>) {
        // An only child hands its set up as it is: else deep nesting would copy every key once a level.
        if puts.isEmpty { puts = more } else { puts.formUnion(more) }
    }

    private mutating func collectDeletes(of operations: [RequestOp]) {
        var intervals: [DeletedKeys.Interval] = []
        for case .deleteRange(let delete) in operations {
            switch delete.range.upper {
            case .single: intervals.append(.init(lower: delete.range.lower, end: delete.range.lower + [0]))
            case .before(let end): intervals.append(.init(lower: delete.range.lower, end: end))
            case .unbounded: break
            }
        }
        deletes = DeletedKeys(intervals)
    }
}

/// A set of keys as intervals.
private struct DeletedKeys {
    /// From `lower` to below `end`.
    struct Interval {
        var lower: [UInt8]
        var end: [UInt8]
    }

    /// Invariant: ascending, each below the next and none empty, so that one binary search finds a key's interval
    /// however many deletes a hostile request holds.
    private var intervals: [Interval] = []

    init(_ unordered: [Interval] = []) {
        for interval in unordered.sorted(by: { $0.lower.precedes($1.lower) }) { append(interval) }
    }

    /// Adds an interval that starts no lower than the ones before it.
    private mutating func append(_ interval: Interval) {
        guard interval.lower.precedes(interval.end) else { return }
        guard let last = intervals.last, !last.end.precedes(interval.lower) else { return intervals.append(interval) }
        if last.end.precedes(interval.end) { intervals[intervals.count - 1].end = interval.end }
    }

    mutating func formUnion(_ other: DeletedKeys) {
        if other.intervals.isEmpty { return }
        if intervals.isEmpty {
            self = other
            return
        }
        var left = intervals[...]
        var right = other.intervals[...]
        intervals = []
        while let first = left.first, let second = right.first {
            append(second.lower.precedes(first.lower) ? right.removeFirst() : left.removeFirst())
        }
        for interval in left { append(interval) }
        for interval in right { append(interval) }
    }

    func contains(_ key: [UInt8]) -> Bool {
        // The first interval that starts above the key; the one before it is the only one that can hold it.
        var low = 0
        var high = intervals.count
        while low < high {
            let middle = (low + high) / 2
            if key.precedes(intervals[middle].lower) { high = middle } else { low = middle + 1 }
        }
        return low > 0 && key.precedes(intervals[low - 1].end)
    }
}
