internal import StrakeLMDB

extension CurrentTable {
    /// A walk over all keys in byte order, tombstones included.
    ///
    /// Moves return false at the ends. `next()` goes to the first key and `previous()` to the last when the cursor stood
    /// nowhere or at the other end.
    package struct Cursor: ~Copyable, ~Escapable {
        private enum Position {
            case nowhere
            case beforeFirst
            case afterLast
            case entry(CurrentEntry)
        }

        private var rows: RowCursor
        private let rowKey = TrieRowKey()
        private var position = Position.nowhere
        /// The row of the entry. Rows of nodes without an entry are passed over.
        private var row = CurrentRow(entry: nil, child: nil)
        /// The node that `row` stands under, and above it those that lead there.
        private var node = TrieNode.root
        private var ancestors: [TrieNode] = []
        /// The segments that lead to `node`, and after them `row`'s own when `node` is not the root.
        private var path = RecordBuffer()

        @_lifetime(borrow txn)
        init<T: Transaction & ~Copyable>(_ table: Table, in txn: borrowing T) throws(TableError) {
            rows = try RowCursor(table, in: txn)
        }

        /// The full key, good until the cursor moves.
        package private(set) var key = UnsafeRawBufferPointer(start: nil, count: 0)

        package var entry: CurrentEntry {
            guard case .entry(let entry) = position else { preconditionFailure("the cursor stands on no key") }
            return entry
        }

        // MARK: Moves

        package mutating func first() throws(TableError) -> Bool {
            returnToRoot()
            return try descendToFirst(rows.seek(atOrAfter: rowKey.bytes(node)))
        }

        package mutating func last() throws(TableError) -> Bool {
            returnToRoot()
            guard try seekLast(of: node) else { return stop(at: .beforeFirst) }
            return try descendToLast()
        }

        /// To the first key at or after `key`.
        package mutating func seek(atOrAfter key: UnsafeRawBufferPointer) throws(TableError) -> Bool {
            returnToRoot()
            var rest = key
            while true {
                let segment = rest.trieSegment
                rest = rest.dropping(segment.count)
                let found = try rows.seek(atOrAfter: rowKey.bytes(node, segment)) && rows.isIn(node)
                let isPrefix = found && rows.key.dropping(TrieNode.idBytes).hasSameBytes(as: segment)
                guard isPrefix, !rest.isEmpty else { return try descendToFirst(found) }
                // Every key of this row's own is below the one sought.
                guard let child = try rows.currentRow().child else { return try descendToFirst(rows.next()) }
                descend(to: child)
            }
        }

        package mutating func next() throws(TableError) -> Bool {
            switch position {
            case .nowhere, .beforeFirst: return try first()
            case .afterLast: return false
            case .entry: break
            }
            guard let child = row.child else { return try descendToFirst(rows.next()) }
            try enter(child)
            return try descendToFirst(true)
        }

        package mutating func previous() throws(TableError) -> Bool {
            switch position {
            case .nowhere, .afterLast: return try last()
            case .beforeFirst: return false
            case .entry: return try ascendToPrevious()
            }
        }

        // MARK: Steps

        /// From the row that `rows` stands on, if `found` and of the node, or else from the next one of the nodes above, to
        /// the first entry.
        private mutating func descendToFirst(_ found: Bool) throws(TableError) -> Bool {
            var found = found
            while true {
                while !(found && rows.isIn(node)) {
                    guard try ascend() else { return stop(at: .afterLast) }
                    found = try rows.next()
                }
                row = try rows.currentRow()
                if let entry = row.entry { return stand(on: entry) }
                guard let child = row.child else { throw rows.corrupt(.danglingChild) }
                try enter(child)
            }
        }

        /// From the row that `rows` stands on to its last entry: the children's entries come after its own.
        private mutating func descendToLast() throws(TableError) -> Bool {
            row = try rows.currentRow()
            while let child = row.child {
                descend(to: child)
                guard try seekLast(of: child) else {
                    throw .corrupt(rows.table, rowKey.bytes(child), .danglingChild)
                }
                row = try rows.currentRow()
            }
            guard let entry = row.entry else { throw rows.corrupt(.danglingChild) }
            return stand(on: entry)
        }

        private mutating func ascendToPrevious() throws(TableError) -> Bool {
            while true {
                if try rows.previous(), rows.isIn(node) { return try descendToLast() }
                guard try ascend() else { return stop(at: .beforeFirst) }
                row = try rows.currentRow()
                if let entry = row.entry { return stand(on: entry) }
            }
        }

        private mutating func seekLast(of node: TrieNode) throws(TableError) -> Bool {
            let found = try rows.seek(atOrAfter: rowKey.bytes(TrieNode(id: node.id + 1)))
            return try (found ? rows.previous() : rows.last()) && rows.isIn(node)
        }

        private mutating func returnToRoot() {
            node = .root
            ancestors.removeAll(keepingCapacity: true)
        }

        /// Into the child of the row that `rows` stands on.
        private mutating func descend(to child: TrieNode) {
            _ = appendSegmentToPath()
            ancestors.append(node)
            node = child
        }

        /// To the first row of the child. There is one, or the child would be gone.
        private mutating func enter(_ child: TrieNode) throws(TableError) {
            descend(to: child)
            guard try rows.seek(atOrAfter: rowKey.bytes(child)), rows.isIn(child) else {
                throw .corrupt(rows.table, rowKey.bytes(child), .danglingChild)
            }
        }

        /// Back to the row that led to the node; false from the root.
        private mutating func ascend() throws(TableError) -> Bool {
            guard let parent = ancestors.popLast() else { return false }
            let start = ancestors.count * TrieNode.segmentBytesMax
            let segment = path.reserve(start + TrieNode.segmentBytesMax, keeping: start + TrieNode.segmentBytesMax)
                .dropping(start)
            guard try rows.seek(exactly: rowKey.bytes(parent, UnsafeRawBufferPointer(segment))) else {
                throw .corrupt(rows.table, rowKey.bytes(parent, UnsafeRawBufferPointer(segment)), .danglingChild)
            }
            node = parent
            return true
        }

        /// Makes the path end with the row's segment, and returns all of it.
        private mutating func appendSegmentToPath() -> UnsafeRawBufferPointer {
            let start = ancestors.count * TrieNode.segmentBytesMax
            let segment = rows.key.dropping(TrieNode.idBytes)
            let path = path.reserve(start + segment.count, keeping: start)
            path.dropping(start).copyMemory(from: segment)
            return UnsafeRawBufferPointer(path)
        }

        private mutating func stand(on entry: CurrentEntry) -> Bool {
            position = .entry(entry)
            key = ancestors.isEmpty ? rows.key.dropping(TrieNode.idBytes) : appendSegmentToPath()
            return true
        }

        private mutating func stop(at end: Position) -> Bool {
            position = end
            key = UnsafeRawBufferPointer(start: nil, count: 0)
            return false
        }
    }
}
