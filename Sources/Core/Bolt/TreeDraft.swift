/// A bucket's tree while its entries come in order: one open page a level, so its memory does not grow with the entries.
struct TreeDraft {
    private(set) var leaf = LeafDraft()
    /// Above the leaves; the lowest first.
    private var branches: [BranchDraft] = []

    /// All entries are in one page that has no number yet.
    var isOneLeaf: Bool { branches.isEmpty }

    /// - Parameter value: Nil where pages are only counted.
    mutating func add(
        _ key: [UInt8], valueCount: Int, value: UnsafeRawBufferPointer?, flags: UInt32, to pages: inout PageOutput
    ) {
        precondition(key.count <= BoltWriter.keyBytesMax && valueCount <= BoltWriter.valueBytesMax, "a large entry")
        if !leaf.isEmpty {
            precondition(leaf.lastKey.lexicographicallyPrecedes(key), "keys out of order")
            let size = LeafDraft.entryBytes(keyCount: key.count, valueCount: valueCount)
            if leaf.size + size > BoltFormat.pageBytes { closeLeaf(&pages) }
        } else if !branches.isEmpty {
            precondition(leaf.lastKey.lexicographicallyPrecedes(key), "keys out of order")
        }
        leaf.add(key, valueCount: valueCount, value: value, flags: flags)
    }

    /// Writes what is open.
    ///
    /// - Returns: The number of the root page.
    mutating func finish(_ pages: inout PageOutput) -> UInt64 {
        if branches.isEmpty { return pages.add(leaf) }
        if !leaf.isEmpty { closeLeaf(&pages) }
        var level = 0
        while true {
            if level == branches.count - 1, branches[level].children.count == 1 {
                return branches[level].children[0].page
            }
            while let children = branches[level].takeRest() { close(children, level, &pages) }
            level += 1
        }
    }

    private mutating func closeLeaf(_ pages: inout PageOutput) {
        let child = BranchDraft.Child(key: leaf.firstKey, page: pages.add(leaf))
        leaf.removeAll()
        add(child, 0, &pages)
    }

    private mutating func add(_ child: BranchDraft.Child, _ level: Int, _ pages: inout PageOutput) {
        if level == branches.count { branches.append(BranchDraft()) }
        branches[level].add(child)
        if let children = branches[level].takeFull() { close(children, level, &pages) }
    }

    private mutating func close(_ children: [BranchDraft.Child], _ level: Int, _ pages: inout PageOutput) {
        add(BranchDraft.Child(key: children[0].key, page: pages.add(children)), level + 1, &pages)
    }
}
