/// A condition of a transaction on every key of a range.
public struct Compare: Hashable, Sendable {
    public enum Result: UInt8, Sendable {
        case equal = 0
        case greater = 1
        case less = 2
        case notEqual = 3
    }

    /// What is compared, with the value it is compared to.
    public enum Target: Hashable, Sendable {
        case version(Int64)
        case createRevision(Int64)
        case modRevision(Int64)
        case value([UInt8])
        case lease(LeaseID)
    }

    public var range: KeyRange
    public var result: Result
    public var target: Target

    public init(range: KeyRange, result: Result, target: Target) {
        self.range = range
        self.result = result
        self.target = target
    }
}

public enum RequestOp: Hashable, Sendable {
    case range(RangeRequest)
    case put(PutRequest)
    case deleteRange(DeleteRangeRequest)
    indirect case txn(TxnRequest)
}

/// Operations done together in one revision: `success` when every comparison holds, else `failure`.
public struct TxnRequest: Hashable, Sendable {
    public var compare: [Compare]
    public var success: [RequestOp]
    public var failure: [RequestOp]

    public init(compare: [Compare] = [], success: [RequestOp] = [], failure: [RequestOp] = []) {
        self.compare = compare
        self.success = success
        self.failure = failure
    }

    /// Neither branch, nor any transaction inside, can change the store.
    public var isReadOnly: Bool {
        allOperations { operation in
            switch operation {
            case .range: true
            case .put, .deleteRange: false
            case .txn(let inner): inner.isReadOnly
            }
        }
    }

    /// It may be answered without asking the other members: it has ranges, and each of them says so, or it reads nothing
    /// at all. Without a range nothing in it says that its comparisons may be stale.
    public var isSerializable: Bool {
        if success.isEmpty && failure.isEmpty { return compare.isEmpty }
        return allOperations { operation in
            switch operation {
            case .range(let range): range.isSerializable
            case .put, .deleteRange: false
            case .txn(let inner): inner.isSerializable
            }
        }
    }

    /// No comparison and no operation, at any depth, is on more than one key.
    public var isOnSingleKeys: Bool {
        compare.allSatisfy { $0.range.isSingle }
            && allOperations { operation in
                switch operation {
                case .range(let range): range.range.isSingle
                case .put: true
                case .deleteRange(let delete): delete.range.isSingle
                case .txn(let inner): inner.isOnSingleKeys
                }
            }
    }

    private func allOperations(_ holds: (RequestOp) -> Bool) -> Bool {
        success.allSatisfy(holds) && failure.allSatisfy(holds)
    }
}

public enum ResponseOp: Hashable, Sendable {
    case range(RangeResponse)
    case put(PutResponse)
    case deleteRange(DeleteRangeResponse)
    indirect case txn(TxnResponse)
}

public struct TxnResponse: Hashable, Sendable {
    public var succeeded: Bool
    public var responses: [ResponseOp]
    /// The revision that the response headers inside carry; etcd fills the header of every nested response.
    public var revision: Int64
    /// It was carried out, and its reads took more than an answer may: of `responses` only changes are left.
    package var isCutShort = false

    public init(succeeded: Bool, responses: [ResponseOp] = [], revision: Int64 = 0) {
        self.succeeded = succeeded
        self.responses = responses
        self.revision = revision
    }
}
