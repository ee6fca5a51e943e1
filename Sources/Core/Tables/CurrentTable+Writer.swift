internal import StrakeChecksum
internal import StrakeLMDB

extension CurrentTable {
    /// Writes entries. Sorted batches stay on the leaf they touched last.
    package struct Writer: ~Copyable, ~Escapable {
        private var rows: RowCursor
        private let rowKey = TrieRowKey()

        @_lifetime(borrow txn)
        init(_ table: Table, in txn: borrowing WriteTransaction) throws(TableError) {
            rows = try RowCursor(table, in: txn)
        }

        /// Inserts or replaces.
        package mutating func put(_ key: UnsafeRawBufferPointer, _ entry: CurrentEntry) throws(TableError) {
            var node = TrieNode.root
            var rest = key
            while true {
                let segment = rest.trieSegment
                rest = rest.dropping(segment.count)
                // A segment that is shorter has no child to keep, so nothing of the old row is needed.
                let canHaveChild = segment.count == TrieNode.segmentBytesMax
                var row = try canHaveChild ? self.row(node, segment) : nil
                if rest.isEmpty {
                    return try write(CurrentRow(entry: entry, child: row?.child), node, segment)
                }
                if let child = row?.child {
                    node = child
                } else {
                    let child = try newNode()
                    row = CurrentRow(entry: row?.entry, child: child)
                    if let row { try write(row, node, segment) }
                    node = child
                }
            }
        }

        package mutating func entry(for key: UnsafeRawBufferPointer) throws(TableError) -> CurrentEntry? {
            var rest = key
            var node = TrieNode.root
            while true {
                let segment = rest.trieSegment
                guard let row = try row(node, segment) else { return nil }
                rest = rest.dropping(segment.count)
                if rest.isEmpty { return row.entry }
                guard let child = row.child else { return nil }
                node = child
            }
        }

        /// Removes a key, and the nodes that it leaves empty. Returns whether there was such a key.
        package mutating func delete(_ key: UnsafeRawBufferPointer) throws(TableError) -> Bool {
            guard let path = try path(to: key) else { return false }
            var segmentIndex = path.count - 1
            let last = path[segmentIndex]
            guard var row = try row(last, key.trieSegment(segmentIndex)), row.entry != nil else { return false }
            row.entry = nil
            while true {
                let node = path[segmentIndex]
                let segment = key.trieSegment(segmentIndex)
                if row.entry != nil || row.child != nil {
                    try write(row, node, segment)
                    return true
                }
                // The cursor need not stand on it: a look at another row came between.
                if try rows.seek(exactly: rowKey.bytes(node, segment)) { try rows.delete() }
                if segmentIndex == 0 { return true }
                if try hasRows(node) { return true }
                segmentIndex -= 1
                let parent = path[segmentIndex]
                guard let above = try self.row(parent, key.trieSegment(segmentIndex)) else {
                    throw .corrupt(rows.table, rowKey.bytes(parent, key.trieSegment(segmentIndex)), .danglingChild)
                }
                row = CurrentRow(entry: above.entry, child: nil)
            }
        }

        // MARK: Rows

        /// The nodes that the key's segments stand under, or nil if they end before the key does.
        private mutating func path(to key: UnsafeRawBufferPointer) throws(TableError) -> [TrieNode]? {
            var path = [TrieNode.root]
            var rest = key.dropping(key.trieSegment.count)
            while !rest.isEmpty {
                let segment = key.trieSegment(path.count - 1)
                guard let child = try row(path[path.count - 1], segment)?.child else { return nil }
                path.append(child)
                rest = rest.dropping(rest.trieSegment.count)
            }
            return path
        }

        private mutating func row(
            _ node: TrieNode, _ segment: UnsafeRawBufferPointer
        ) throws(TableError) -> CurrentRow? {
            guard try rows.seek(exactly: rowKey.bytes(node, segment)) else { return nil }
            return try rows.currentRow()
        }

        private mutating func write(
            _ row: CurrentRow, _ node: TrieNode, _ segment: UnsafeRawBufferPointer
        ) throws(TableError) {
            let key = rowKey.bytes(node, segment)
            row.write(into: try rows.reserve(key, row.count), key: key)
        }

        private mutating func hasRows(_ node: TrieNode) throws(TableError) -> Bool {
            try rows.seek(atOrAfter: rowKey.bytes(node)) && rows.isIn(node)
        }

        /// A number that no node had before: u32 CRC-32C, u64 number, under the counter's key.
        private mutating func newNode() throws(TableError) -> TrieNode {
            let key = rowKey.bytes(.counter)
            var last: UInt64 = 0
            if try rows.seek(exactly: key) {
                guard rows.value.count == 12 else { throw rows.corrupt(.badLength) }
                var fields = FieldReader(rows.value)
                guard fields.read() == CRC32C.checksum(rows.value.dropping(4)) else { throw rows.corrupt(.checksum) }
                last = fields.read()
            }
            let node = TrieNode(id: last + 1)
            let place = try rows.reserve(key, 12)
            var fields = FieldWriter(place, at: 4)
            fields.write(node.id)
            var first = FieldWriter(place)
            first.write(CRC32C.checksum(UnsafeRawBufferPointer(place).dropping(4)))
            return node
        }
    }
}

extension UnsafeRawBufferPointer {
    /// The part of a key that its row number `index` holds.
    fileprivate func trieSegment(_ index: Int) -> UnsafeRawBufferPointer {
        dropping(index * TrieNode.segmentBytesMax).trieSegment
    }
}
