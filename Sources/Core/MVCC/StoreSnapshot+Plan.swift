internal import StrakeLMDB
internal import StrakeModel
internal import StrakeTables

// The first pass over a range: count, size and order, without values.
extension StoreSnapshot {
    /// What a range holds, and in which order it is to be returned.
    struct Survey {
        var count: Int64 = 0
        /// Keys that the filters let through.
        var admitted: Int64 = 0
        var bytes = 0
        /// Nil: key order.
        var sorted: [Revision]?

        func more(_ limit: Int64) -> Bool { limit > 0 && admitted > limit }

        /// Keys in the answer.
        func returned(_ limit: Int64) -> Int64 { limit > 0 ? min(limit, admitted) : admitted }
    }

    func survey(
        _ request: RangeRequest, at main: Int64, reading: inout LazyTransaction, size: (KeyValueFields) -> Int
    ) throws(TableError) -> Survey {
        switch request.order {
        case .sorted(let target, let isDescending) where !request.countOnly:
            let rule = SortRule(target: target, isDescending: isDescending)
            return try survey(request, rule, at: main, reading: &reading, size: size)
        case .key, .sorted:
            var survey = Survey()
            try scan(request.range, at: main, reading: &reading) { key, state, _ throws(TableError) in
                survey.count += 1
                guard !request.countOnly, request.admits(state.entry) else { return true }
                survey.admitted += 1
                if request.limit <= 0 || survey.admitted <= request.limit {
                    survey.bytes += size(request.fields(key, state.entry))
                }
                return true
            }
            return survey
        }
    }

    private func survey(
        _ request: RangeRequest, _ rule: SortRule, at main: Int64, reading: inout LazyTransaction,
        size: (KeyValueFields) -> Int
    ) throws(TableError) -> Survey {
        var survey = Survey()
        var sorted = SortedReferences(rule, limit: request.limit)
        var buffer = RecordBuffer()
        try scan(request.range, at: main, reading: &reading) { key, state, txn throws(TableError) in
            survey.count += 1
            guard request.admits(state.entry) else { return true }
            survey.admitted += 1
            if let most = request.sortedKeysMax, survey.admitted > most { return true }
            let rank =
                rule.target == .value
                ? SortReference.rank(try event(of: state, in: txn, buffer: &buffer).value)
                : request.rank(rule.target, state.entry)
            let reference = SortReference(
                rank: rank, sequence: Int(survey.count), revision: state.entry.modRevision,
                size: size(request.fields(key, state.entry)))
            try sorted.append(reference) { revision throws(TableError) in
                try value(at: revision, in: txn, buffer: &buffer)
            }
            return true
        }
        try reading.with { txn throws(TableError) in
            try sorted.finish { revision throws(TableError) in try value(at: revision, in: txn, buffer: &buffer) }
        }
        survey.bytes = sorted.references.reduce(0) { $0 + $1.size }
        survey.sorted = sorted.references.map(\.revision)
        return survey
    }

    private func value(
        at revision: Revision, in txn: borrowing ReadTransaction, buffer: inout RecordBuffer
    ) throws(TableError) -> [UInt8] {
        guard let event = try event(at: revision, in: txn, buffer: &buffer) else { throw .missingEvent(revision) }
        return [UInt8](event.value)
    }
}

extension RangeRequest {
    func fields(_ key: UnsafeRawBufferPointer, _ entry: CurrentEntry) -> KeyValueFields {
        KeyValueFields(
            keyCount: key.count, valueCount: keysOnly ? 0 : entry.valueCount, createRevision: entry.createRevision,
            modRevision: entry.modRevision.main, version: entry.version, lease: entry.lease)
    }

    fileprivate func rank(_ target: SortTarget, _ entry: CurrentEntry) -> (UInt64, UInt64) {
        switch target {
        case .key, .value: (0, 0)
        case .version: SortReference.rank(entry.version)
        case .createRevision: SortReference.rank(entry.createRevision)
        case .modRevision: SortReference.rank(entry.modRevision.main)
        }
    }
}
