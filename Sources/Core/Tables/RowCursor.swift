internal import StrakeLMDB

/// A cursor over one table that knows which table it is, and throws `TableError`.
struct RowCursor: ~Copyable, ~Escapable {
    private var cursor: Cursor
    let table: Table

    @_lifetime(borrow txn)
    init<T: Transaction & ~Copyable>(_ table: Table, in txn: borrowing T) throws(TableError) {
        do { cursor = try txn.cursor(in: table) } catch { throw .lmdb(error) }
        self.table = table
    }

    var key: UnsafeRawBufferPointer { cursor.key }
    var value: UnsafeRawBufferPointer { cursor.value }

    /// The row it stands on is not what it should be.
    func corrupt(_ reason: TableError.Corruption) -> TableError { .corrupt(table, key, reason) }

    mutating func seek(atOrAfter key: UnsafeRawBufferPointer) throws(TableError) -> Bool {
        do { return try cursor.seek(atOrAfter: key) } catch { throw .lmdb(error) }
    }

    mutating func seek(exactly key: UnsafeRawBufferPointer) throws(TableError) -> Bool {
        do { return try cursor.seek(exactly: key) } catch { throw .lmdb(error) }
    }

    mutating func first() throws(TableError) -> Bool {
        do { return try cursor.first() } catch { throw .lmdb(error) }
    }

    mutating func last() throws(TableError) -> Bool {
        do { return try cursor.last() } catch { throw .lmdb(error) }
    }

    mutating func next() throws(TableError) -> Bool {
        do { return try cursor.next() } catch { throw .lmdb(error) }
    }

    mutating func previous() throws(TableError) -> Bool {
        do { return try cursor.previous() } catch { throw .lmdb(error) }
    }

    mutating func reserve(
        _ key: UnsafeRawBufferPointer, _ valueCount: Int
    ) throws(TableError) -> UnsafeMutableRawBufferPointer {
        do { return try cursor.reserve(key, valueCount: valueCount) } catch { throw .lmdb(error) }
    }

    mutating func reserveLast(
        _ key: UnsafeRawBufferPointer, _ valueCount: Int
    ) throws(TableError) -> UnsafeMutableRawBufferPointer? {
        do { return try cursor.reserveLast(key, valueCount: valueCount) } catch { throw .lmdb(error) }
    }

    mutating func delete() throws(TableError) {
        do { try cursor.delete() } catch { throw .lmdb(error) }
    }
}

extension Transaction where Self: ~Copyable {
    /// The value at `key`, or nil.
    borrowing func row(
        _ key: UnsafeRawBufferPointer, in table: Table
    ) throws(TableError) -> UnsafeRawBufferPointer? {
        do { return try get(key, in: table) } catch { throw .lmdb(error) }
    }
}

extension WriteTransaction {
    borrowing func putRow(
        _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, in table: Table
    ) throws(TableError) {
        do { try put(key, value, in: table) } catch { throw .lmdb(error) }
    }

    borrowing func deleteRow(_ key: UnsafeRawBufferPointer, in table: Table) throws(TableError) -> Bool {
        do { return try delete(key, in: table) } catch { throw .lmdb(error) }
    }
}
