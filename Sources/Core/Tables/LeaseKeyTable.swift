package import StrakeLMDB
package import StrakeModel

/// For each lease the revisions of the puts that named it.
///
/// Rows (lease, main, sub), big-endian, without a value. They are never updated: a row counts only while its revision is
/// its key's newest event, and compaction removes it with the event.
package struct LeaseKeyTable: Sendable {
    let table: Table

    private struct Row {
        static let count = 20
        var lease: UInt64
        var main: UInt64
        var sub: UInt32

        init(_ lease: LeaseID, _ revision: Revision) {
            self.lease = UInt64(bitPattern: lease.rawValue).bigEndian
            main = UInt64(revision.main).bigEndian
            sub = UInt32(revision.sub).bigEndian
        }

        func withBytes<R: ~Copyable>(
            _ body: (UnsafeRawBufferPointer) throws(TableError) -> R
        ) throws(TableError) -> R {
            try withUnsafeBytes(of: self) { bytes throws(TableError) in
                try body(UnsafeRawBufferPointer(rebasing: bytes[..<Self.count]))
            }
        }
    }

    package func put(
        _ lease: LeaseID, _ revision: Revision, in txn: borrowing WriteTransaction
    ) throws(TableError) {
        try Row(lease, revision).withBytes { key throws(TableError) in
            try txn.putRow(key, UnsafeRawBufferPointer(start: nil, count: 0), in: table)
        }
    }

    /// Returns whether there was such a row.
    package func delete(
        _ lease: LeaseID, _ revision: Revision, in txn: borrowing WriteTransaction
    ) throws(TableError) -> Bool {
        try Row(lease, revision).withBytes { key throws(TableError) in
            try txn.deleteRow(key, in: table)
        }
    }

    /// Revisions of a lease's rows after `after`, in order, at most `limit` of them.
    package func revisions<T: Transaction & ~Copyable>(
        of lease: LeaseID, after: Revision = .zero, limit: Int, in txn: borrowing T
    ) throws(TableError) -> [Revision] {
        var rows = try RowCursor(table, in: txn)
        var revisions: [Revision] = []
        var found = try Row(lease, after).withBytes { key throws(TableError) in try rows.seek(atOrAfter: key) }
        while found, revisions.count < limit {
            guard rows.key.count == Row.count, rows.value.isEmpty,
                let main = Int64(exactly: rows.key.bigEndian(at: 8, as: UInt64.self)),
                let sub = Int32(exactly: rows.key.bigEndian(at: 16, as: UInt32.self))
            else { throw rows.corrupt(.badKey) }
            guard rows.key.bigEndian(at: 0, as: UInt64.self) == UInt64(bitPattern: lease.rawValue) else { break }
            let revision = Revision(main: main, sub: sub)
            if revision > after { revisions.append(revision) }
            found = try rows.next()
        }
        return revisions
    }
}
