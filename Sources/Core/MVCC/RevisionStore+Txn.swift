internal import StrakeModel
internal import StrakeTables

// Transactions: everything that can be refused is found before anything changes.
extension RevisionStore {
    /// Whether the decided operations can all be carried out.
    mutating func check(_ path: TxnPath, leaseExists: (LeaseID) -> Bool) throws(MVCCError) {
        var changes: [PlannedChange] = []
        try check(path, after: &changes, leaseExists: leaseExists)
    }

    private mutating func check(
        _ path: TxnPath, after changes: inout [PlannedChange], leaseExists: (LeaseID) -> Bool
    ) throws(MVCCError) {
        for step in path.steps {
            switch step {
            case .range(let range):
                _ = try snapshot.mainRevision(inTxn: range.revision)
            case .put(let put):
                try check(put, after: changes)
                guard put.lease == .none || leaseExists(put.lease) else { throw .refused(.leaseNotFound) }
                changes.append(.put(put.key))
            case .deleteRange(let delete):
                changes.append(.delete(delete.range))
            case .txn(let inner):
                try check(inner, after: &changes, leaseExists: leaseExists)
            }
        }
    }

    /// A put that keeps the value or lease needs its key at that point of the transaction.
    private mutating func check(_ put: PutRequest, after changes: [PlannedChange]) throws(MVCCError) {
        guard put.ignoreValue || put.ignoreLease else { return }
        for change in changes.reversed() {
            switch change {
            case .put(let key) where key == put.key: return
            case .delete(let range) where range.contains(put.key): throw .refused(.keyNotFound)
            case .put, .delete: continue
            }
        }
        let found = try MVCCError.storage { () throws(TableError) in
            try put.key.withBytes { key throws(TableError) in try state(of: key) }
        }
        guard let found, found.isAlive else { throw .refused(.keyNotFound) }
    }

    /// - Parameter bytesLeft: What reads may take still. Below zero none is made any more, and there is no answer.
    mutating func carryOut(_ path: TxnPath, bytesLeft: inout Int) throws(MVCCError) -> TxnResponse {
        var response = TxnResponse(succeeded: path.succeeded)
        for step in path.steps {
            switch step {
            case .range(let range):
                if bytesLeft < 0 { continue }
                response.responses.append(.range(try self.range(range, bytesLeft: &bytesLeft)))
            case .put(let put):
                response.responses.append(.put(try self.put(put).response))
            case .deleteRange(let delete):
                let deleted = try MVCCError.storage { () throws(TableError) in try deleteRange(delete) }
                response.responses.append(.deleteRange(deleted))
            case .txn(let inner):
                response.responses.append(.txn(try carryOut(inner, bytesLeft: &bytesLeft)))
            }
        }
        return response
    }
}

extension RangeResponse {
    /// What a read of a transaction counts for beside its keys and values: each key that was looked at costs time.
    var lookedAtBytes: Int { Int(count) &* 4 }
}

/// What an earlier step of a transaction will have done.
private enum PlannedChange {
    case put([UInt8])
    case delete(KeyRange)
}
