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
