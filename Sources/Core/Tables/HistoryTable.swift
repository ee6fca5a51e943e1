package import StrakeLMDB
package import StrakeModel

/// Every change, by revision.
///
/// A record takes one row of about two thousand bytes or as many as it needs, never a row that LMDB would give pages
/// of its own.
package struct HistoryTable: Sendable {
    let table: Table

    /// The event at `revision`, lent from the map, or from `buffer` when it is stored in several rows.
    package func event<T: Transaction & ~Copyable>(
        at revision: Revision, in txn: borrowing T, buffer: inout RecordBuffer
    ) throws(TableError) -> EventView? {
        guard let (encoding, row) = try firstRow(of: revision, in: txn) else { return nil }
        if HistoryRow.rowCount(encoding.count) == 1 { return try view(encoding, of: row) }
        var rows = try RowCursor(table, in: txn)
        let found = try HistoryRow(revision).withBytes { key throws(TableError) in try rows.seek(exactly: key) }
        precondition(found, "a row that was there")
        var copied = 0
        return try view(
            encoding, of: rows.assemble(encoding, count: encoding.count, copied: &copied, into: &buffer))
    }

    package func record<T: Transaction & ~Copyable>(
        at revision: Revision, in txn: borrowing T
    ) throws(TableError) -> EventRecord? {
        var buffer = RecordBuffer()
        return try event(at: revision, in: txn, buffer: &buffer).map { EventRecord($0) }
    }

    /// The header alone: one look-up whatever the size of the record; key and value are not checked.
    package func header<T: Transaction & ~Copyable>(
        at revision: Revision, in txn: borrowing T
    ) throws(TableError) -> EventHeader? {
        try firstRow(of: revision, in: txn)?.encoding.header
    }

    /// The newest event at or before main revision `main` of the key that `header` is an event of.
    ///
    /// - Parameter lookedUp: Called for each older event that it looks up.
    /// - Returns: Nil when the chain ends above `main`: the key was not there yet, or compaction took the rest.
    package func walk<T: Transaction & ~Copyable>(
        from header: EventHeader, atOrBefore main: Int64, in txn: borrowing T, lookedUp: (Revision) -> Void = { _ in }
    ) throws(TableError) -> EventHeader? {
        var header = header
        while header.revision.main > main {
            let next = header.link.predecessor(previous: header.previous, for: main)
            if next == .zero { return nil }
            lookedUp(next)
            guard let found = try self.header(at: next, in: txn) else { return nil }
            header = found
        }
        return header
    }

    package func first<T: Transaction & ~Copyable>(in txn: borrowing T) throws(TableError) -> Revision? {
        var rows = try RowCursor(table, in: txn)
        guard try rows.first() else { return nil }
        return try revision(of: rows)
    }

    package func last<T: Transaction & ~Copyable>(in txn: borrowing T) throws(TableError) -> Revision? {
        var rows = try RowCursor(table, in: txn)
        guard try rows.last() else { return nil }
        return try revision(of: rows)
    }

    @_lifetime(borrow txn)
    package func cursor<T: Transaction & ~Copyable>(in txn: borrowing T) throws(TableError) -> Cursor {
        try Cursor(table, in: txn)
    }

    @_lifetime(borrow txn)
    package func writer(in txn: borrowing WriteTransaction) throws(TableError) -> Writer {
        try Writer(table, in: txn)
    }

    // MARK: Parts

    private func firstRow<T: Transaction & ~Copyable>(
        of revision: Revision, in txn: borrowing T
    ) throws(TableError) -> (encoding: EventEncoding, row: UnsafeRawBufferPointer)? {
        try HistoryRow(revision).withBytes { key throws(TableError) -> (EventEncoding, UnsafeRawBufferPointer)? in
            guard let row = try txn.row(key, in: table) else { return nil }
            let encoding: EventEncoding
            do throws(TableError.Corruption) { encoding = try EventEncoding(row, at: revision) } catch {
                throw .corrupt(table, key, error)
            }
            guard row.count == HistoryRow.range(ofChunk: 0, in: encoding.count).count else {
                throw .corrupt(table, key, .badLength)
            }
            return (encoding, row)
        }
    }

    private func view(_ encoding: EventEncoding, of bytes: UnsafeRawBufferPointer) throws(TableError) -> EventView {
        do { return try encoding.view(of: bytes) } catch {
            throw HistoryRow(encoding.header.revision).withBytes { .corrupt(table, $0, error) }
        }
    }

    private func revision(of rows: borrowing RowCursor) throws(TableError) -> Revision {
        guard let row = HistoryRow.parse(rows.key) else { throw rows.corrupt(.badKey) }
        return row.revision
    }
}
