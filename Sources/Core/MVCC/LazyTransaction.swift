internal import StrakeLMDB
internal import StrakeTables

/// A read transaction that begins at its first use: what is found in memory costs none.
struct LazyTransaction: ~Copyable {
    private let environment: Environment
    private var transaction: ReadTransaction?

    init(_ environment: Environment) {
        self.environment = environment
        transaction = nil
    }

    mutating func with<R: ~Copyable>(
        _ body: (borrowing ReadTransaction) throws(TableError) -> R
    ) throws(TableError) -> R {
        if transaction == nil {
            do { transaction = try environment.beginRead() } catch { throw .lmdb(error) }
        }
        switch transaction {
        case .some(let begun): return try body(begun)
        case .none: preconditionFailure("the transaction was just begun")
        }
    }

    /// Lets go of the pages it holds. The next use sees what is committed then.
    mutating func close() {
        transaction = nil
    }
}
