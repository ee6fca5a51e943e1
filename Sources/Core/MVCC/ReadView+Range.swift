internal import StrakeLMDB
package import StrakeModel
internal import StrakeTables

extension ReadView {
    /// Answers a range in one piece; the whole answer is in memory. For large ones: `plan` and `next`.
    package mutating func range(_ request: RangeRequest) throws(MVCCError) -> RangeResponse {
        let main = try snapshot.mainRevision(request.revision)
        var bytesLeft = Int.max
        return try MVCCError.storage { () throws(TableError) in
            try snapshot.range(request, at: main, bytesLeft: &bytesLeft, reading: &reading)
        }
    }

    /// Starts an answer of any size: counts the range, and sums `size` over the keys that will be returned.
    ///
    /// Reads entries and no values, unless they are to be sorted by value. Memory: none in key order; in another order
    /// some 50 bytes a key, up to twice the limit if there is one.
    package mutating func plan(
        _ request: RangeRequest, size: (KeyValueFields) -> Int
    ) throws(MVCCError) -> RangePlan {
        let snapshot = snapshot
        let main = try snapshot.mainRevision(request.revision)
        // This view holds all it can see, so nothing is lost between looking and holding.
        var plan = RangePlan(
            request, publication.take(at: main), headerRevision: revision, generation: snapshot.generation)
        let survey = try MVCCError.storage { () throws(TableError) in
            try snapshot.survey(request, at: main, reading: &reading, size: size)
        }
        plan.count = survey.count
        plan.more = survey.more(request.limit)
        plan.bytes = survey.bytes
        plan.returned = Int(survey.returned(request.limit))
        plan.remaining = plan.returned
        if let sorted = survey.sorted { plan.position = .sorted(sorted, next: 0) }
        return plan
    }

    /// Lends the next keys and values of a plan, at least one, until `keysMax` or about `byteBudget` bytes went by.
    ///
    /// In any later view; it reads at the plan's revision whatever happened since.
    /// - Returns: True when that was the last of the answer.
    /// - Throws: `.compacted` when another member's store has taken the place of this one, and that revision is gone.
    package mutating func next(
        _ plan: inout RangePlan, keysMax: Int = .max, byteBudget: Int, _ body: (LentKeyValue) -> Void
    ) throws(MVCCError) -> Bool {
        precondition(keysMax > 0, "a slice of \(keysMax) keys")
        guard plan.remaining > 0 else { return true }
        var slice = RangeSlice(keysLeft: min(keysMax, plan.remaining), bytesLeft: byteBudget)
        let snapshot = snapshot
        try snapshot.checkResumed(at: plan.revision, generation: plan.generation)
        try MVCCError.storage { () throws(TableError) in
            switch plan.position {
            case .key(let from):
                let resumed = try snapshot.lend(plan, from: from, &slice, reading: &reading, body)
                plan.remaining -= slice.keys
                plan.position = .key(resumed)
            case .sorted(let revisions, let first):
                try reading.with { txn throws(TableError) in
                    try snapshot.lend(plan, revisions, from: first, &slice, in: txn, body)
                }
                plan.remaining -= slice.keys
                plan.position = .sorted(revisions, next: first + slice.keys)
            }
        }
        return plan.remaining == 0
    }
}

/// How much one call lends of a plan.
private struct RangeSlice {
    private(set) var keys = 0
    private(set) var keysLeft: Int
    private var bytesLeft: Int

    init(keysLeft: Int, bytesLeft: Int) {
        self.keysLeft = keysLeft
        self.bytesLeft = bytesLeft
    }

    var isFull: Bool { keysLeft <= 0 || bytesLeft <= 0 && keys > 0 }

    mutating func add(bytes: Int) {
        keys += 1
        keysLeft -= 1
        bytesLeft -= bytes
    }
}

extension StoreSnapshot {
    /// Lends keys in key order. Returns the key to go on from.
    fileprivate func lend(
        _ plan: RangePlan, from: [UInt8], _ slice: inout RangeSlice, reading: inout LazyTransaction,
        _ body: (LentKeyValue) -> Void
    ) throws(TableError) -> [UInt8] {
        let request = plan.request
        var range = request.range
        range.lower = from
        var resumed = from
        var buffer = RecordBuffer()
        try scan(range, at: plan.revision, reading: &reading) { key, state, txn throws(TableError) in
            guard request.admits(state.entry) else { return true }
            let value = request.keysOnly ? .empty : try event(of: state, in: txn, buffer: &buffer).value
            body(LentKeyValue(fields: request.fields(key, state.entry), key: key, value: value))
            slice.add(bytes: key.count + value.count + Self.keyValueOverhead)
            if !slice.isFull { return true }
            // The next key there can be.
            resumed = [UInt8](key) + [0]
            return false
        }
        precondition(slice.isFull, "\(slice.keysLeft) planned keys are gone at \(plan.revision)")
        return resumed
    }

    /// Lends sorted keys, by the revisions of their events.
    fileprivate func lend(
        _ plan: RangePlan, _ revisions: [Revision], from first: Int, _ slice: inout RangeSlice,
        in txn: borrowing ReadTransaction, _ body: (LentKeyValue) -> Void
    ) throws(TableError) {
        var buffer = RecordBuffer()
        while !slice.isFull {
            let revision = revisions[first + slice.keys]
            guard let event = try event(at: revision, in: txn, buffer: &buffer) else {
                throw .missingEvent(revision)
            }
            let fields = plan.request.fields(event.key, CurrentEntry(event.header))
            let value = plan.request.keysOnly ? .empty : event.value
            body(LentKeyValue(fields: fields, key: event.key, value: value))
            slice.add(bytes: event.key.count + value.count + Self.keyValueOverhead)
        }
    }

    /// What a budget counts for a key beside its bytes.
    private static var keyValueOverhead: Int { 32 }
}

extension UnsafeRawBufferPointer {
    static var empty: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: nil, count: 0) }
}
