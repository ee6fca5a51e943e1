package import StrakeLMDB
package import StrakeModel

/// For each lease the revisions of the puts that named it.
///
/// A row is all key, without a value. Compaction removes it with the event.
package struct LeaseKeyTable: Sendable {
    let table: Table

    package func put(_ row: LeaseRow, in txn: borrowing WriteTransaction) throws(TableError) {
        try row.withKey { key throws(TableError) in
            try txn.putRow(key, UnsafeRawBufferPointer(start: nil, count: 0), in: table)
        }
    }

    /// Returns whether there was such a row.
    package func delete(_ row: LeaseRow, in txn: borrowing WriteTransaction) throws(TableError) -> Bool {
        try row.withKey { key throws(TableError) in try txn.deleteRow(key, in: table) }
    }

    /// Gives the rows from `start` on, in order, until `body` returns false.
    package func scan<T: Transaction & ~Copyable>(
        from start: LeaseRow, in txn: borrowing T, _ body: (LeaseRow) throws(TableError) -> Bool
    ) throws(TableError) {
        var rows = try RowCursor(table, in: txn)
        var found = try start.withKey { key throws(TableError) in try rows.seek(atOrAfter: key) }
        while found {
            guard let row = LeaseRow(parsing: rows.key), rows.value.isEmpty else { throw rows.corrupt(.badKey) }
            guard try body(row) else { return }
            found = try rows.next()
        }
    }

    /// Revisions of a lease's rows after `after`, in order, at most `limit` of them.
    package func revisions<T: Transaction & ~Copyable>(
        of lease: LeaseID, after: Revision = .zero, limit: Int, in txn: borrowing T
    ) throws(TableError) -> [Revision] {
        var revisions: [Revision] = []
        try scan(from: LeaseRow(lease: lease, revision: after), in: txn) { row throws(TableError) in
            guard row.lease == lease else { return false }
            if row.revision > after { revisions.append(row.revision) }
            return revisions.count < limit
        }
        return revisions
    }
}
