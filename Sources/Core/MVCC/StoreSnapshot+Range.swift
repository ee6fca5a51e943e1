internal import StrakeLMDB
internal import StrakeModel
internal import StrakeTables

// Small answers, all in memory.
extension StoreSnapshot {
    func range(
        _ request: RangeRequest, at main: Int64, reading: inout LazyTransaction
    ) throws(TableError) -> RangeResponse {
        if request.range.isSingle { return try singleKey(request, at: main, reading: &reading) }
        if request.order != .key && !request.countOnly { return try sorted(request, at: main, reading: &reading) }
        var response = RangeResponse()
        var buffer = RecordBuffer()
        try scan(request.range, at: main, reading: &reading) { key, state, txn throws(TableError) in
            response.count += 1
            if request.countOnly || response.more || !request.admits(state.entry) { return true }
            if request.limit > 0, response.keyValues.count >= request.limit {
                response.more = true
                return true
            }
            response.keyValues.append(
                try keyValue(key, state, wantsValue: !request.keysOnly, in: txn, buffer: &buffer))
            return true
        }
        return response
    }

    private func singleKey(
        _ request: RangeRequest, at main: Int64, reading: inout LazyTransaction
    ) throws(TableError) -> RangeResponse {
        let wantsValue = !request.keysOnly && !request.countOnly
        let found = try request.range.lower.withBytes { key throws(TableError) in
            try keyValue(key, at: main, wantsValue: wantsValue, reading: &reading)
        }
        guard let found else { return RangeResponse() }
        let isAdmitted = request.admits(
            CurrentEntry(
                modRevision: Revision(main: found.modRevision), createRevision: found.createRevision,
                version: found.version))
        return RangeResponse(keyValues: isAdmitted && !request.countOnly ? [found] : [], count: 1)
    }

    private func sorted(
        _ request: RangeRequest, at main: Int64, reading: inout LazyTransaction
    ) throws(TableError) -> RangeResponse {
        let survey = try survey(request, at: main, reading: &reading) { _ in 0 }
        var response = RangeResponse(more: survey.more(request.limit), count: survey.count)
        response.keyValues = try reading.with { txn throws(TableError) in
            var buffer = RecordBuffer()
            var keyValues: [KeyValue] = []
            for revision in survey.sorted ?? [] {
                guard let event = try event(at: revision, in: txn, buffer: &buffer) else {
                    throw .missingEvent(revision)
                }
                var keyValue = event.keyValue
                if request.keysOnly { keyValue.value = [] }
                keyValues.append(keyValue)
            }
            return keyValues
        }
        return response
    }
}
