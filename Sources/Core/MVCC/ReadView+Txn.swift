package import StrakeModel
internal import StrakeTables

extension ReadView {
    /// Answers a transaction that only reads, as applying it would. It takes no revision.
    ///
    /// The whole answer is in memory.
    /// - Parameter bytesMax: Keys and values of the answer, with what holding them costs, and four bytes for each key that was
    ///   looked at.
    /// - Throws: `.compacted`, `.futureRevision`; `.requestTooLarge` above `bytesMax`, at which reading stops.
    package mutating func txn(_ request: TxnRequest, bytesMax: Int) throws(MVCCError) -> TxnResponse {
        let snapshot = snapshot
        var bytesLeft = bytesMax
        let path = try MVCCError.storage { () throws(TableError) in
            try snapshot.decide(request, bytesLeft: &bytesLeft, reading: &reading)
        }
        guard bytesLeft >= 0 else { throw .refused(.requestTooLarge) }
        var response = try answer(path, bytesLeft: &bytesLeft)
        response.setRevision(revision)
        return response
    }

    private mutating func answer(_ path: TxnPath, bytesLeft: inout Int) throws(MVCCError) -> TxnResponse {
        var response = TxnResponse(succeeded: path.succeeded)
        for step in path.steps {
            switch step {
            case .range(let range):
                response.responses.append(.range(try answer(range, bytesLeft: &bytesLeft)))
            case .txn(let inner):
                response.responses.append(.txn(try answer(inner, bytesLeft: &bytesLeft)))
            case .put, .deleteRange:
                preconditionFailure("a transaction that writes is read")
            }
        }
        return response
    }

    private mutating func answer(
        _ range: RangeRequest, bytesLeft: inout Int
    ) throws(MVCCError) -> RangeResponse {
        let snapshot = snapshot
        let main = try snapshot.mainRevision(inTxn: range.revision)
        var left = bytesLeft
        let response = try MVCCError.storage { () throws(TableError) in
            try snapshot.range(range, at: main, bytesLeft: &left, reading: &reading)
        }
        left -= response.lookedAtBytes
        guard left >= 0 else { throw .refused(.requestTooLarge) }
        bytesLeft = left
        return response
    }
}
