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
        _ request: RangeRequest, size: (KeyFields) -> Int
    ) throws(MVCCError) -> RangePlan {
        let snapshot = snapshot
        let main = try snapshot.mainRevision(request.revision)
        // This view holds all it can see, so nothing is lost between looking and holding.
        var plan = RangePlan(request, publication.take(at: main), headerRevision: revision)
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

    /// Lends the next keys and values of a plan until about `byteBudget` bytes went by, at least one.
    ///
    /// In any later view; it reads at the plan's revision whatever happened since.
    /// - Returns: True when that was the last of the answer.
    package mutating func next(
        _ plan: inout RangePlan, byteBudget: Int, _ body: (LentKeyValue) -> Void
    ) throws(MVCCError) -> Bool {
        guard plan.remaining > 0 else { return true }
        var left = byteBudget
        let snapshot = snapshot
        try MVCCError.storage { () throws(TableError) in
            switch plan.position {
            case .key(let from):
                var remaining = plan.remaining
                let resumed = try snapshot.lend(plan, from: from, &left, &remaining, reading: &reading, body)
                plan.remaining = remaining
                plan.position = .key(resumed)
            case .sorted(let revisions, var next):
                try reading.with { txn throws(TableError) in
                    try snapshot.lend(plan, revisions, &next, &left, in: txn, body)
                }
                plan.remaining = revisions.count - next
                plan.position = .sorted(revisions, next: next)
            }
        }
        return plan.remaining == 0
    }
}

extension StoreSnapshot {
    /// Lends keys in key order. Returns the key to go on from.
    fileprivate func lend(
        _ plan: RangePlan, from: [UInt8], _ left: inout Int, _ remaining: inout Int,
        reading: inout LazyTransaction, _ body: (LentKeyValue) -> Void
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
            remaining -= 1
            left -= key.count + value.count + Self.keyValueOverhead
            if remaining > 0 && left > 0 { return true }
            // The next key there can be.
            resumed = [UInt8](key) + [0]
            return false
        }
        precondition(remaining == 0 || left <= 0, "\(remaining) planned keys are gone at \(plan.revision)")
        return resumed
    }

    /// Lends sorted keys, by the revisions of their events.
    fileprivate func lend(
        _ plan: RangePlan, _ revisions: [Revision], _ next: inout Int, _ left: inout Int,
        in txn: borrowing ReadTransaction, _ body: (LentKeyValue) -> Void
    ) throws(TableError) {
        var buffer = RecordBuffer()
        while next < revisions.count && left > 0 {
            guard let event = try event(at: revisions[next], in: txn, buffer: &buffer) else {
                throw .missingEvent(revisions[next])
            }
            let fields = plan.request.fields(event.key, CurrentEntry(event.header))
            let value = plan.request.keysOnly ? .empty : event.value
            body(LentKeyValue(fields: fields, key: event.key, value: value))
            next += 1
            left -= event.key.count + value.count + Self.keyValueOverhead
        }
    }

    /// What a budget counts for a key beside its bytes.
    private static var keyValueOverhead: Int { 32 }
}

extension UnsafeRawBufferPointer {
    static var empty: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: nil, count: 0) }
}
