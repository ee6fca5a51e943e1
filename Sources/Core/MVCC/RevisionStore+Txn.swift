internal import StrakeModel
internal import StrakeTables

// Transactions: everything that can be refused is found before anything changes.
extension RevisionStore {
    /// Whether the decided operations can all be carried out.
    mutating func check(_ path: TxnPath, leaseExists: (LeaseID) -> Bool) throws(MVCCError) {
        var changes = PlannedChanges()
        try check(path, after: &changes, leaseExists: leaseExists)
    }

    private mutating func check(
        _ path: TxnPath, after changes: inout PlannedChanges, leaseExists: (LeaseID) -> Bool
    ) throws(MVCCError) {
        for step in path.steps {
            switch step {
            case .range(let range):
                _ = try snapshot.mainRevision(inTxn: range.revision)
            case .put(let put):
                try check(put, after: changes)
                guard put.lease == .none || leaseExists(put.lease) else { throw .refused(.leaseNotFound) }
                changes.put(put.key)
            case .deleteRange(let delete):
                changes.delete(delete.range)
            case .txn(let inner):
                try check(inner, after: &changes, leaseExists: leaseExists)
            }
        }
    }

    /// A put that keeps the value or lease needs its key at that point of the transaction.
    private mutating func check(_ put: PutRequest, after changes: PlannedChanges) throws(MVCCError) {
        guard put.ignoreValue || put.ignoreLease else { return }
        switch changes.last(of: put.key) {
        case .put: return
        case .delete: throw .refused(.keyNotFound)
        case nil: break
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
    /// What each key that was looked at counts for, beside keys and values that are answered: it costs time.
    static let lookedAtBytes = 4

    var lookedAtBytes: Int { Int(count) &* Self.lookedAtBytes }
}

/// What the earlier steps of a transaction will have done.
private struct PlannedChanges {
    enum Change {
        case put
        case delete
    }

    /// By key, which of the steps has put it last.
    private var puts: [[UInt8]: Int] = [:]
    private var deletes: [(range: KeyRange, step: Int)] = []
    private var count = 0

    mutating func put(_ key: [UInt8]) {
        puts[key] = count
        count += 1
    }

    mutating func delete(_ range: KeyRange) {
        deletes.append((range, count))
        count += 1
    }

    /// - Complexity: O(n) in the deletes since the key was put.
    func last(of key: [UInt8]) -> Change? {
        let put = puts[key]
        for delete in deletes.reversed() {
            if let put, put > delete.step { break }
            if delete.range.contains(key) { return .delete }
        }
        return put == nil ? nil : .put
    }
}
