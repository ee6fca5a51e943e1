internal import StrakeLMDB
package import StrakeModel

extension HistoryTable {
    /// Writes events; sorted appends stay on the last page and fill it.
    package struct Writer: ~Copyable, ~Escapable {
        private var rows: RowCursor

        @_lifetime(borrow txn)
        init(_ table: Table, in txn: borrowing WriteTransaction) throws(TableError) {
            rows = try RowCursor(table, in: txn)
        }

        /// Stores an event; one that is there already is replaced.
        ///
        /// - Parameter header: As `describe(key:value:)` left it for these bytes.
        package mutating func append(
            _ header: EventHeader, key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer
        ) throws(TableError) {
            precondition(
                header.keyCount == key.count && header.valueCount == value.count, "a header of other bytes")
            let encoding = EventEncoding(header)
            let rowCount = HistoryRow.rowCount(encoding.count)
            var replaces = false
            for chunk in 0..<rowCount {
                let range = HistoryRow.range(ofChunk: chunk, in: encoding.count)
                let row = HistoryRow(header.revision, chunk: chunk)
                let place = try row.withBytes { rowKey throws(TableError) in
                    if !replaces {
                        if let place = try rows.reserveLast(rowKey, range.count) { return place }
                        replaces = true
                    }
                    return try rows.reserve(rowKey, range.count)
                }
                encoding.copy(range, key, value, into: place)
            }
            // A longer record that stood here before would leave its last rows behind.
            if replaces { _ = try deleteRows(of: header.revision, from: rowCount) }
        }

        package mutating func append(_ record: EventRecord) throws(TableError) {
            try record.key.withBytes { key throws(TableError) -> Void in
                try record.value.withBytes { value throws(TableError) -> Void in
                    try append(record.header, key: key, value: value)
                }
            }
        }

        /// Removes an event with all its rows. Returns whether there was one.
        package mutating func delete(_ revision: Revision) throws(TableError) -> Bool {
            try deleteRows(of: revision, from: 0) > 0
        }

        private mutating func deleteRows(of revision: Revision, from chunk: Int) throws(TableError) -> Int {
            let row = HistoryRow(revision, chunk: chunk)
            var found = try row.withBytes { key throws(TableError) in try rows.seek(atOrAfter: key) }
            var deleted = 0
            while found, let row = HistoryRow.parse(rows.key), row.revision == revision {
                try rows.delete()
                deleted += 1
                found = try rows.next()
            }
            return deleted
        }
    }
}
