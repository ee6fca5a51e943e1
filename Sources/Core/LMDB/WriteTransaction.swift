internal import CLMDB

/// The one writer's transaction. It stays on the thread that began it, and is aborted unless it is committed.
package struct WriteTransaction: ~Copyable, Transaction {
    package let raw: OpaquePointer
    /// Keeps the environment open. Not a plain reference, since `discard self` allows no field that needs a release.
    private let owner: Unmanaged<Environment>?

    init(environment: OpaquePointer, owner: Unmanaged<Environment>?) throws(LMDBError) {
        var begun: OpaquePointer?
        let code = mdb_txn_begin(environment, nil, 0, &begun)
        guard code == MDB_SUCCESS, let begun else {
            owner?.release()
            throw LMDBError(code: code, operation: .beginWrite)
        }
        raw = begun
        self.owner = owner
    }

    deinit {
        mdb_txn_abort(raw)
        owner?.release()
    }

    /// Makes the changes durable and visible. When it throws, none of them happened.
    package consuming func commit() throws(LMDBError) {
        let code = mdb_txn_commit(raw)
        let owner = owner
        discard self  // Success or not, liblmdb freed the handle.
        owner?.release()
        try LMDBError.check(code, .commit)
    }

    /// Inserts or replaces.
    package borrowing func put(
        _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, in table: Table
    ) throws(LMDBError) {
        var keyValue = MDB_val(key)
        var data = MDB_val(value)
        try LMDBError.check(mdb_put(raw, table.handle, &keyValue, &data, 0), .put)
    }

    /// Returns whether there was such a row.
    package borrowing func delete(_ key: UnsafeRawBufferPointer, in table: Table) throws(LMDBError) -> Bool {
        var keyValue = MDB_val(key)
        let code = mdb_del(raw, table.handle, &keyValue, nil)
        if code == MDB_NOTFOUND { return false }
        try LMDBError.check(code, .delete)
        return true
    }

    /// Empties a table.
    package borrowing func clear(_ table: Table) throws(LMDBError) {
        try LMDBError.check(mdb_drop(raw, table.handle, 0), .clear)
    }
}
