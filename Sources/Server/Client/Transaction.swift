/// A transaction that is put together step by step, as clientv3 has it:
///
///     let answer = try await client.txn()
///         .if(.modRevision(of: "config", .equal, 17))
///         .then(.put("config", "new"))
///         .else(.get("config"))
///         .commit()
public struct Transaction: Sendable {
    /// What has been put together so far.
    public private(set) var request = TxnRequest()
    private let client: StrakeClient

    init(_ client: StrakeClient) {
        self.client = client
    }

    /// Adds conditions; all of them have to hold.
    public func `if`(_ conditions: Compare...) -> Transaction { adding { $0.compare += conditions } }

    /// Adds what is done when they do.
    public func then(_ operations: RequestOp...) -> Transaction { adding { $0.success += operations } }

    /// Adds what is done when one does not.
    public func `else`(_ operations: RequestOp...) -> Transaction { adding { $0.failure += operations } }

    private func adding(_ change: (inout TxnRequest) -> Void) -> Transaction {
        var copy = self
        change(&copy.request)
        return copy
    }

    /// Sends it. `succeeded` says which branch was taken, `responses` answers its operations in their order.
    public func commit() async throws(StrakeClientError) -> Answer<TxnResponse> { try await client.txn(request) }
}

extension StrakeClient {
    /// Begins a transaction.
    public func txn() -> Transaction { Transaction(self) }
}

extension Compare {
    /// The value of a key that is there; of one that is not, no comparison of values holds.
    public static func value(
        of key: some ByteConvertible, _ result: Result, _ value: some ByteConvertible
    ) -> Compare {
        Compare(range: .key(key.storedBytes), result: result, target: .value(value.storedBytes))
    }

    /// Puts since the key came to life; 0 of one that is not there.
    public static func version(of key: some ByteConvertible, _ result: Result, _ version: Int64) -> Compare {
        Compare(range: .key(key.storedBytes), result: result, target: .version(version))
    }

    /// 0 of a key that is not there.
    public static func createRevision(of key: some ByteConvertible, _ result: Result, _ revision: Int64) -> Compare {
        Compare(range: .key(key.storedBytes), result: result, target: .createRevision(revision))
    }

    /// 0 of a key that is not there.
    public static func modRevision(of key: some ByteConvertible, _ result: Result, _ revision: Int64) -> Compare {
        Compare(range: .key(key.storedBytes), result: result, target: .modRevision(revision))
    }

    /// `.none` of a key without a lease, or that is not there.
    public static func lease(of key: some ByteConvertible, _ result: Result, _ lease: LeaseID) -> Compare {
        Compare(range: .key(key.storedBytes), result: result, target: .lease(lease))
    }
}

extension RequestOp {
    public static func get(_ key: some ByteConvertible) -> RequestOp {
        .range(RangeRequest(range: .key(key.storedBytes)))
    }

    public static func get(_ range: KeyRange) -> RequestOp { .range(RangeRequest(range: range)) }

    public static func put(
        _ key: some ByteConvertible, _ value: some ByteConvertible, lease: LeaseID = .none
    ) -> RequestOp {
        .put(PutRequest(key: key.storedBytes, value: value.storedBytes, lease: lease))
    }

    public static func delete(_ key: some ByteConvertible) -> RequestOp {
        .deleteRange(DeleteRangeRequest(range: .key(key.storedBytes)))
    }

    public static func delete(_ range: KeyRange) -> RequestOp { .deleteRange(DeleteRangeRequest(range: range)) }
}
