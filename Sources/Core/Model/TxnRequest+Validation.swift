// What etcd checks before it proposes anything or asks another member, in etcd's order: of two errors in one request
// the client sees the same one.

extension RangeRequest {
    package func validate() throws(StoreError) {
        guard !range.lower.isEmpty else { throw .emptyKey }
    }
}

extension PutRequest {
    package func validate() throws(StoreError) {
        guard !key.isEmpty else { throw .emptyKey }
        guard !ignoreValue || value.isEmpty else { throw .valueProvided }
        guard !ignoreLease || lease == .none else { throw .leaseProvided }
    }
}

extension DeleteRangeRequest {
    package func validate() throws(StoreError) {
        guard !range.lower.isEmpty else { throw .emptyKey }
    }
}

extension TxnRequest {
    /// Where an operation stands: positions from the outermost transaction inwards, each the index in `success`, or the
    /// bitwise complement of the index in `failure`.
    package typealias Path = [Int]

    /// Checks the number of operations, every part, and that no key is put twice or both put and deleted.
    ///
    /// - Parameter maxOperations: The most comparisons, operations on success or operations on failure. A nested
    ///   transaction has what its parent's longest list leaves of it.
    /// - Parameter defects: Operations that a request on the wire can hold and a `RequestOp` cannot. They are found at
    ///   their place among the other checks, where etcd finds them.
    /// - Throws: `tooManyOperations`, `emptyKey`, `valueProvided`, `leaseProvided`, `duplicateKey`, or a defect's error.
    package func validate(maxOperations: Int, defects: [Path: StoreError] = [:]) throws(StoreError) {
        var check = PartsCheck(defects: defects)
        try check.check(self, budget: maxOperations, depth: 1)
        try checkOverlaps()
    }
}

/// The walk over a transaction's parts.
private struct PartsCheck {
    let defects: [TxnRequest.Path: StoreError]
    /// Where the walk is. Kept only when there is a defect to find.
    var path: TxnRequest.Path = []

    init(defects: [TxnRequest.Path: StoreError]) {
        self.defects = defects
    }

    mutating func check(_ txn: TxnRequest, budget: Int, depth: Int) throws(StoreError) {
        let operations = max(txn.compare.count, txn.success.count, txn.failure.count)
        guard operations <= budget, depth <= TxnRequest.depthMax else { throw .tooManyOperations }
        for comparison in txn.compare where comparison.range.lower.isEmpty { throw .emptyKey }
        for (index, operation) in txn.success.enumerated() {
            try check(operation, at: index, budget: budget - operations, depth: depth)
        }
        for (index, operation) in txn.failure.enumerated() {
            try check(operation, at: ~index, budget: budget - operations, depth: depth)
        }
    }

    private mutating func check(
        _ operation: RequestOp, at position: Int, budget: Int, depth: Int
    ) throws(StoreError) {
        if !defects.isEmpty {
            path.append(position)
            if let error = defects[path] { throw error }
        }
        switch operation {
        case .range(let range): try range.validate()
        case .put(let put): try put.validate()
        case .deleteRange(let delete): try delete.validate()
        case .txn(let inner): try check(inner, budget: budget, depth: depth + 1)
        }
        if !defects.isEmpty { path.removeLast() }
    }
}
