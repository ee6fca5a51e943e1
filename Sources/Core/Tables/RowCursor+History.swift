internal import StrakeModel

extension RowCursor {
    /// The header of the record whose first row this is.
    func historyEncoding(at revision: Revision) throws(TableError) -> EventEncoding {
        let encoding: EventEncoding
        do { encoding = try EventEncoding(value, at: revision) } catch { throw corrupt(error) }
        guard value.count == HistoryRow.range(ofChunk: 0, in: encoding.count).count else { throw corrupt(.badLength) }
        return encoding
    }

    /// Copies rows of a record into `buffer` until it holds the record's first `count` bytes.
    ///
    /// - Parameter copied: Rows copied before, the last of which the cursor stands on; 0 when it stands on the first.
    mutating func assemble(
        _ encoding: EventEncoding, count: Int, copied: inout Int, into buffer: inout RecordBuffer
    ) throws(TableError) -> UnsafeRawBufferPointer {
        let rows = HistoryRow.rowCount(count)
        let kept = copied == 0 ? 0 : HistoryRow.range(ofChunk: copied - 1, in: encoding.count).upperBound
        let memory = buffer.reserve(encoding.count, keeping: kept)
        while copied < rows {
            if copied > 0 {
                let found = try next()
                guard found, let row = HistoryRow.parse(key), row == (encoding.header.revision, copied) else {
                    throw HistoryRow(encoding.header.revision, chunk: copied)
                        .withBytes { .corrupt(table, $0, .missingChunk) }
                }
            }
            let range = HistoryRow.range(ofChunk: copied, in: encoding.count)
            guard value.count == range.count else { throw corrupt(.badLength) }
            UnsafeMutableRawBufferPointer(rebasing: memory[range]).copyMemory(from: value)
            copied += 1
        }
        return UnsafeRawBufferPointer(rebasing: memory[..<count])
    }
}
