package import StrakeModel
internal import StrakeTables

// Requests, each of one main revision at most. Refused ones change nothing.
extension RevisionStore {
    /// Writes a key.
    ///
    /// - Parameter leaseExists: Whether a lease can be attached to.
    /// - Throws: `.leaseNotFound`; `.keyNotFound` where the value or lease of a missing key was to be kept.
    package mutating func put(
        _ request: PutRequest, leaseExists: (LeaseID) -> Bool
    ) throws(MVCCError) -> PutOutcome {
        beginRequest()
        guard request.lease == .none || leaseExists(request.lease) else { throw .refused(.leaseNotFound) }
        let outcome = try put(request)
        endRequest()
        return outcome
    }

    /// Deletes the keys of a range, in ascending order.
    package mutating func delete(_ request: DeleteRangeRequest) throws(MVCCError) -> DeleteRangeResponse {
        beginRequest()
        let response = try MVCCError.storage { () throws(TableError) in try deleteRange(request) }
        endRequest()
        return response
    }

    /// Compares, and carries out one of two lists of operations, all in one revision.
    ///
    /// Every condition, of nested transactions too, is decided on the state before the whole request.
    ///
    /// - Parameter answerBytesMax: What its reads may take, the same on all members. Reading stops there, and changing does
    ///   not: what a member has to do for an entry of the log has a bound, and what became of the keys does not depend on it.
    package mutating func txn(
        _ request: TxnRequest, answerBytesMax: Int = txnAnswerBytesMax, leaseExists: (LeaseID) -> Bool
    ) throws(MVCCError) -> TxnResponse {
        beginRequest()
        let snapshot = snapshot
        var bytesLeft = answerBytesMax
        let path = try MVCCError.storage { () throws(TableError) in
            try snapshot.decide(request, bytesLeft: &bytesLeft, reading: &reading)
        }
        guard bytesLeft >= 0 else { throw .refused(.requestTooLarge) }
        try check(path, leaseExists: leaseExists)
        var response = try carryOut(path, bytesLeft: &bytesLeft)
        if bytesLeft < 0 {
            response.cutShort()
        }
        endRequest()
        response.setRevision(revision)
        return response
    }

    /// Deletes the keys attached to any of the leases in one revision, in ascending order. Returns how many.
    package mutating func deleteKeys(attachedTo leases: [LeaseID]) throws(MVCCError) -> Int {
        beginRequest()
        var keys: Set<[UInt8]> = []
        for lease in leases { keys.formUnion(try self.keys(attachedTo: lease)) }
        for key in keys.sorted(by: { $0.precedes($1) }) {
            _ = try MVCCError.storage { () throws(TableError) in
                try deleteRange(DeleteRangeRequest(range: .key(key)))
            }
        }
        endRequest()
        return keys.count
    }
}

extension TxnResponse {
    /// Lets go of what was read, here and in nested transactions.
    fileprivate mutating func cutShort() {
        isCutShort = true
        responses = responses.compactMap { response in
            switch response {
            case .range: return nil
            case .txn(var inner):
                inner.cutShort()
                return .txn(inner)
            case .put, .deleteRange: return response
            }
        }
    }

    /// Of this response and the nested ones.
    mutating func setRevision(_ revision: Int64) {
        self.revision = revision
        for index in responses.indices {
            guard case .txn(var inner) = responses[index] else { continue }
            inner.setRevision(revision)
            responses[index] = .txn(inner)
        }
    }
}
