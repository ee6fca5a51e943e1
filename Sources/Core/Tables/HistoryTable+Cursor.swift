internal import StrakeLMDB
package import StrakeModel

extension HistoryTable {
    /// A walk over events in the order of their revisions.
    ///
    /// A move reads the header only; ask for `key()` or `event()` to read more of a record that has several rows. What
    /// they lend is good until the cursor moves.
    package struct Cursor: ~Copyable, ~Escapable {
        private var rows: RowCursor
        /// The record it stands on, with its first row.
        private var encoding: EventEncoding?
        private var firstRow = UnsafeRawBufferPointer(start: nil, count: 0)
        private var buffer = RecordBuffer()
        /// Rows of the record that are in `buffer`.
        private var copied = 0

        @_lifetime(borrow txn)
        init<T: Transaction & ~Copyable>(_ table: Table, in txn: borrowing T) throws(TableError) {
            rows = try RowCursor(table, in: txn)
        }

        /// To the first event at or after `revision`.
        package mutating func seek(atOrAfter revision: Revision) throws(TableError) -> Bool {
            let row = HistoryRow(revision)
            return try land(row.withBytes { key throws(TableError) in try rows.seek(atOrAfter: key) })
        }

        /// The first event when it stood nowhere.
        package mutating func next() throws(TableError) -> Bool {
            guard let encoding else { return try land(rows.next()) }
            let rowCount = HistoryRow.rowCount(encoding.count)
            if rowCount == max(copied, 1) { return try land(rows.next()) }
            // Over the rows that were not read.
            let lastRow = HistoryRow(encoding.header.revision, chunk: rowCount)
            return try land(lastRow.withBytes { key throws(TableError) in try rows.seek(atOrAfter: key) })
        }

        private mutating func land(_ found: Bool) throws(TableError) -> Bool {
            encoding = nil
            copied = 0
            guard found else { return false }
            guard let row = HistoryRow.parse(rows.key), row.chunk == 0 else { throw rows.corrupt(.badKey) }
            encoding = try rows.historyEncoding(at: row.revision)
            firstRow = rows.value
            return true
        }

        private var current: EventEncoding {
            guard let encoding else { preconditionFailure("the cursor stands on no event") }
            return encoding
        }

        package var header: EventHeader { current.header }

        /// The event's key, its checksum checked.
        package mutating func key() throws(TableError) -> UnsafeRawBufferPointer {
            let bytes = try load(EventEncoding.headerCount + current.header.keyCount)
            do { return try current.key(of: bytes) } catch { throw corrupt(error) }
        }

        /// The whole event, its checksums checked.
        package mutating func event() throws(TableError) -> EventView {
            let bytes = try load(current.count)
            do { return try current.view(of: bytes) } catch { throw corrupt(error) }
        }

        private mutating func load(_ count: Int) throws(TableError) -> UnsafeRawBufferPointer {
            if count <= firstRow.count { return UnsafeRawBufferPointer(rebasing: firstRow[..<count]) }
            return try rows.assemble(current, count: count, copied: &copied, into: &buffer)
        }

        private func corrupt(_ reason: TableError.Corruption) -> TableError {
            HistoryRow(current.header.revision).withBytes { .corrupt(rows.table, $0, reason) }
        }
    }
}
