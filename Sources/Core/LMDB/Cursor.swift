internal import CLMDB

/// A position in a table. It cannot outlive its transaction.
///
/// Moves return false where there is no such row; `key` and `value` are empty then. What they lend is good until the
/// cursor moves or the transaction changes something.
package struct Cursor: ~Copyable, ~Escapable {
    private let raw: OpaquePointer
    package private(set) var key = UnsafeRawBufferPointer(start: nil, count: 0)
    package private(set) var value = UnsafeRawBufferPointer(start: nil, count: 0)

    @_lifetime(borrow transaction)
    init<T: Transaction & ~Copyable>(_ transaction: borrowing T, _ table: Table) throws(LMDBError) {
        var opened: OpaquePointer?
        let code = mdb_cursor_open(transaction.raw, table.handle, &opened)
        guard code == MDB_SUCCESS, let opened else { throw LMDBError(code: code, operation: .seek) }
        raw = opened
    }

    deinit { mdb_cursor_close(raw) }

    // MARK: Moves

    /// To the first row at or after `key`.
    package mutating func seek(atOrAfter key: UnsafeRawBufferPointer) throws(LMDBError) -> Bool {
        try move(MDB_SET_RANGE, key)
    }

    package mutating func seek(exactly key: UnsafeRawBufferPointer) throws(LMDBError) -> Bool {
        try move(MDB_SET_KEY, key)
    }

    package mutating func first() throws(LMDBError) -> Bool { try move(MDB_FIRST) }
    package mutating func last() throws(LMDBError) -> Bool { try move(MDB_LAST) }
    /// The first row when it stood nowhere.
    package mutating func next() throws(LMDBError) -> Bool { try move(MDB_NEXT) }
    /// The last row when it stood nowhere.
    package mutating func previous() throws(LMDBError) -> Bool { try move(MDB_PREV) }

    private mutating func move(
        _ operation: MDB_cursor_op, _ sought: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)
    ) throws(LMDBError) -> Bool {
        var found = MDB_val(sought)
        var data = MDB_val()
        let code = mdb_cursor_get(raw, &found, &data, operation)
        guard code == MDB_SUCCESS else {
            forget()
            if code == MDB_NOTFOUND { return false }
            throw LMDBError(code: code, operation: .seek)
        }
        key = found.bytes
        value = data.bytes
        return true
    }

    private mutating func forget() {
        key = UnsafeRawBufferPointer(start: nil, count: 0)
        value = UnsafeRawBufferPointer(start: nil, count: 0)
    }

    // MARK: Changes, in a write transaction only

    /// Inserts or replaces. Near the last position the search starts from there, so sorted batches are cheap.
    package mutating func put(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws(LMDBError) {
        forget()
        var keyValue = MDB_val(key)
        var data = MDB_val(value)
        try LMDBError.check(mdb_cursor_put(raw, &keyValue, &data, 0), .put)
    }

    /// As `put`, but lends the value's place in the page, to be filled before anything else happens.
    package mutating func reserve(
        _ key: UnsafeRawBufferPointer, valueCount: Int
    ) throws(LMDBError) -> UnsafeMutableRawBufferPointer {
        forget()
        var keyValue = MDB_val(key)
        var data = MDB_val(mv_size: valueCount, mv_data: nil)
        try LMDBError.check(mdb_cursor_put(raw, &keyValue, &data, UInt32(MDB_RESERVE)), .put)
        return UnsafeMutableRawBufferPointer(start: data.mv_data, count: data.mv_size)
    }

    /// As `reserve` for a key above every other in the table, filling pages to the end; nil when it is not.
    package mutating func reserveLast(
        _ key: UnsafeRawBufferPointer, valueCount: Int
    ) throws(LMDBError) -> UnsafeMutableRawBufferPointer? {
        forget()
        var keyValue = MDB_val(key)
        var data = MDB_val(mv_size: valueCount, mv_data: nil)
        let code = mdb_cursor_put(raw, &keyValue, &data, UInt32(MDB_RESERVE | MDB_APPEND))
        if code == MDB_KEYEXIST { return nil }
        try LMDBError.check(code, .put)
        return UnsafeMutableRawBufferPointer(start: data.mv_data, count: data.mv_size)
    }

    /// Removes the row it stands on. `next()` then goes to the row after it.
    package mutating func delete() throws(LMDBError) {
        forget()
        try LMDBError.check(mdb_cursor_del(raw, 0), .delete)
    }
}
