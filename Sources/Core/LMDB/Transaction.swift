internal import CLMDB

/// What reading needs of a transaction, be it `ReadTransaction` or `WriteTransaction`.
///
/// Memory handed out points into the map. In a read transaction it is good until the transaction ends, in a write
/// transaction until the next change made in it.
package protocol Transaction: ~Copyable {
    /// liblmdb's MDB_txn.
    var raw: OpaquePointer { get }
}

extension Transaction where Self: ~Copyable {
    /// liblmdb's number of the transaction: for a reader, of the newest commit that it sees.
    package var id: UInt64 { UInt64(mdb_txn_id(raw)) }

    /// The value at `key`, or nil.
    package borrowing func get(
        _ key: UnsafeRawBufferPointer, in table: Table
    ) throws(LMDBError) -> UnsafeRawBufferPointer? {
        var keyValue = MDB_val(key)
        var value = MDB_val()
        let code = mdb_get(raw, table.handle, &keyValue, &value)
        if code == MDB_NOTFOUND { return nil }
        try LMDBError.check(code, .get)
        return value.bytes
    }

    package borrowing func statistics(of table: Table) throws(LMDBError) -> TableStatistics {
        var stat = MDB_stat()
        try LMDBError.check(mdb_stat(raw, table.handle, &stat), .statistics)
        return TableStatistics(
            depth: Int(stat.ms_depth), branchPages: stat.ms_branch_pages, leafPages: stat.ms_leaf_pages,
            overflowPages: stat.ms_overflow_pages, entries: stat.ms_entries)
    }

    @_lifetime(borrow self)
    package borrowing func cursor(in table: Table) throws(LMDBError) -> Cursor {
        try Cursor(self, table)
    }
}
