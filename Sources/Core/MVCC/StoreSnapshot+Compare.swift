internal import StrakeModel
internal import StrakeTables

// The conditions of transactions, the same for those that write and those that only read.
extension StoreSnapshot {
    /// Decides which branch is taken, here and in the transactions of that branch.
    ///
    /// - Parameter bytesLeft: Of what the transaction may look at: four for each key. Below zero afterwards: it was not decided.
    func decide(
        _ request: TxnRequest, bytesLeft: inout Int, reading: inout LazyTransaction
    ) throws(TableError) -> TxnPath {
        var succeeded = true
        for compare in request.compare where succeeded && bytesLeft >= 0 {
            succeeded = try holds(compare, bytesLeft: &bytesLeft, reading: &reading)
        }
        var path = TxnPath(succeeded: succeeded, steps: [])
        for operation in succeeded ? request.success : request.failure {
            switch operation {
            case .range(let range): path.steps.append(.range(range))
            case .put(let put): path.steps.append(.put(put))
            case .deleteRange(let delete): path.steps.append(.deleteRange(delete))
            case .txn(let inner):
                path.steps.append(.txn(try decide(inner, bytesLeft: &bytesLeft, reading: &reading)))
            }
        }
        return path
    }

    /// Holds for every key of the range. A range without keys compares as one missing key.
    private func holds(
        _ compare: Compare, bytesLeft: inout Int, reading: inout LazyTransaction
    ) throws(TableError) -> Bool {
        var isMissing = true
        var holds = true
        var buffer = RecordBuffer()
        try scan(compare.range, at: .max, reading: &reading) { _, state, txn throws(TableError) in
            isMissing = false
            bytesLeft -= RangeResponse.lookedAtBytes
            if case .value(let wanted) = compare.target {
                let value = try event(of: state, in: txn, buffer: &buffer).value
                holds = compare.result.accepts(wanted.withBytes { KeyOrder.compare(value, $0) })
            } else {
                holds = compare.holds(
                    version: state.entry.version, create: state.entry.createRevision,
                    mod: state.entry.modRevision.main, lease: state.entry.lease)
            }
            return holds && bytesLeft >= 0
        }
        return isMissing ? compare.holds(version: 0, create: 0, mod: 0, lease: .none) : holds
    }
}

extension Compare {
    /// The comparison without a value. One of values never holds here: a missing key has none, not even an empty one.
    fileprivate func holds(version: Int64, create: Int64, mod: Int64, lease: LeaseID) -> Bool {
        switch target {
        case .version(let wanted): result.accepts(Self.order(version, wanted))
        case .createRevision(let wanted): result.accepts(Self.order(create, wanted))
        case .modRevision(let wanted): result.accepts(Self.order(mod, wanted))
        case .lease(let wanted): result.accepts(Self.order(lease.rawValue, wanted.rawValue))
        case .value: false
        }
    }

    private static func order(_ left: Int64, _ right: Int64) -> Int { left < right ? -1 : left > right ? 1 : 0 }
}

extension Compare.Result {
    /// `order` is below zero, zero or above: how the key's side sorts to the side given.
    fileprivate func accepts(_ order: Int) -> Bool {
        switch self {
        case .equal: order == 0
        case .greater: order > 0
        case .less: order < 0
        case .notEqual: order != 0
        }
    }
}
