internal import StrakeLMDB
internal import StrakeModel
internal import StrakeTables

// Answers that are built whole in memory.
extension StoreSnapshot {
    /// - Parameter bytesLeft: What keys and values may take; what they took is subtracted. Below zero afterwards: there
    ///   was more, and what is returned is no answer.
    func range(
        _ request: RangeRequest, at main: Int64, bytesLeft: inout Int, reading: inout LazyTransaction
    ) throws(TableError) -> RangeResponse {
        if request.range.isSingle {
            let response = try singleKey(request, at: main, reading: &reading)
            if let found = response.keyValues.first { bytesLeft -= found.answerBytes }
            return response
        }
        if request.order != .key && !request.countOnly {
            return try sorted(request, at: main, bytesLeft: &bytesLeft, reading: &reading)
        }
        var response = RangeResponse()
        var buffer = RecordBuffer()
        try scan(request.range, at: main, reading: &reading) { key, state, txn throws(TableError) in
            response.count += 1
            if request.countOnly || response.more || !request.admits(state.entry) { return true }
            if request.limit > 0, response.keyValues.count >= request.limit {
                response.more = true
                return true
            }
            let found = try keyValue(key, state, wantsValue: !request.keysOnly, in: txn, buffer: &buffer)
            bytesLeft -= found.answerBytes
            response.keyValues.append(found)
            return bytesLeft >= 0
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
        _ request: RangeRequest, at main: Int64, bytesLeft: inout Int, reading: inout LazyTransaction
    ) throws(TableError) -> RangeResponse {
        let survey = try survey(request, at: main, reading: &reading) { _ in 0 }
        var response = RangeResponse(more: survey.more(request.limit), count: survey.count)
        response.keyValues = try reading.with { txn throws(TableError) in
            var buffer = RecordBuffer()
            var keyValues: [KeyValue] = []
            for revision in survey.sorted ?? [] where bytesLeft >= 0 {
                guard let event = try event(at: revision, in: txn, buffer: &buffer) else {
                    throw .missingEvent(revision)
                }
                var keyValue = event.keyValue
                if request.keysOnly { keyValue.value = [] }
                bytesLeft -= keyValue.answerBytes
                keyValues.append(keyValue)
            }
            return keyValues
        }
        return response
    }
}

extension KeyValue {
    /// What an answer in memory takes for it, more or less.
    fileprivate var answerBytes: Int { MemoryLayout<KeyValue>.size + key.count + value.count }
}
