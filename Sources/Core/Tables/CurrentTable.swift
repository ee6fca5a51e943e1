package import StrakeLMDB

/// Every key's newest event, in key order, tombstones included.
///
/// A trie of (node, segment): a key of at most 490 bytes is one row under the root. A longer one is cut in segments of
/// 490 bytes; the row of each but the last names the node that the next stands under. Rows sort as the keys do, and
/// no two keys share a row.
package struct CurrentTable: Sendable {
    let table: Table

    package func entry<T: Transaction & ~Copyable>(
        for key: UnsafeRawBufferPointer, in txn: borrowing T
    ) throws(TableError) -> CurrentEntry? {
        let rowKey = TrieRowKey()
        var node = TrieNode.root
        var rest = key
        while true {
            let segment = rest.trieSegment
            let bytes = rowKey.bytes(node, segment)
            guard let value = try txn.row(bytes, in: table) else { return nil }
            let row: CurrentRow
            do { row = try CurrentRow(value, key: bytes) } catch { throw .corrupt(table, bytes, error) }
            rest = rest.dropping(segment.count)
            if rest.isEmpty { return row.entry }
            guard let child = row.child else { return nil }
            node = child
        }
    }

    @_lifetime(borrow txn)
    package func cursor<T: Transaction & ~Copyable>(in txn: borrowing T) throws(TableError) -> Cursor {
        try Cursor(table, in: txn)
    }

    @_lifetime(borrow txn)
    package func writer(in txn: borrowing WriteTransaction) throws(TableError) -> Writer {
        try Writer(table, in: txn)
    }
}

extension UnsafeRawBufferPointer {
    /// The part of a key that the next row holds.
    var trieSegment: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: prefix(TrieNode.segmentBytesMax))
    }
}

extension RowCursor {
    /// The row it stands on, of `current`.
    func currentRow() throws(TableError) -> CurrentRow {
        do { return try CurrentRow(value, key: key) } catch { throw corrupt(error) }
    }

    /// It stands on a row of this node.
    func isIn(_ node: TrieNode) -> Bool {
        key.count >= TrieNode.idBytes && key.bigEndian(at: 0, as: UInt64.self) == node.id
    }
}
