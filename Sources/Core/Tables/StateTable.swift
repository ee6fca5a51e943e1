internal import StrakeChecksum
package import StrakeLMDB

/// Small records by name: the applied index, the compact revision, leases, alarms.
///
/// Names have 1 to 511 bytes. A record is u32 CRC-32C over the name and the value, then the value. Values of up to about
/// 1,500 bytes share pages; longer ones are legal and take pages of their own.
package struct StateTable: Sendable {
    let table: Table

    package init(_ table: Table) { self.table = table }

    package func put(
        _ key: [UInt8], _ value: [UInt8], in txn: borrowing WriteTransaction
    ) throws(TableError) {
        var checksum = CRC32C()
        checksum.add(key)
        checksum.add(value)
        let record = withUnsafeBytes(of: checksum.value.littleEndian) { [UInt8]($0) } + value
        try key.withBytes { key throws(TableError) -> Void in
            try record.withBytes { record throws(TableError) -> Void in try txn.putRow(key, record, in: table) }
        }
    }

    /// Returns whether there was such a record.
    package func delete(_ key: [UInt8], in txn: borrowing WriteTransaction) throws(TableError) -> Bool {
        try key.withBytes { key throws(TableError) in
            try txn.deleteRow(key, in: table)
        }
    }

    package func get<T: Transaction & ~Copyable>(
        _ key: [UInt8], in txn: borrowing T
    ) throws(TableError) -> [UInt8]? {
        try key.withBytes { key throws(TableError) -> [UInt8]? in
            guard let record = try txn.row(key, in: table) else { return nil }
            return [UInt8](try value(of: record, key))
        }
    }

    /// Lends the records whose name starts with `prefix`, in order, until `body` returns false.
    package func scan<T: Transaction & ~Copyable>(
        prefix: [UInt8], in txn: borrowing T,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws(TableError) -> Bool
    ) throws(TableError) {
        var rows = try RowCursor(table, in: txn)
        var found = try prefix.withBytes { prefix throws(TableError) -> Bool in
            try prefix.isEmpty ? rows.first() : rows.seek(atOrAfter: prefix)
        }
        while found, rows.key.starts(with: prefix) {
            guard try body(rows.key, value(of: rows.value, rows.key)) else { return }
            found = try rows.next()
        }
    }

    private func value(
        of record: UnsafeRawBufferPointer, _ key: UnsafeRawBufferPointer
    ) throws(TableError) -> UnsafeRawBufferPointer {
        guard record.count >= 4 else { throw .corrupt(table, key, .truncated) }
        let value = record.dropping(4)
        var field = FieldReader(record)
        var checksum = CRC32C()
        checksum.add(key)
        checksum.add(value)
        guard field.read() == checksum.value else { throw .corrupt(table, key, .checksum) }
        return value
    }
}
