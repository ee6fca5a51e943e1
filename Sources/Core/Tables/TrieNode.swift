/// A node of the trie that `current` is: the keys that go on after the same first bytes.
struct TrieNode: Hashable, Sendable {
    var id: UInt64

    static var root: TrieNode { TrieNode(id: 0) }
    /// Not a node: under its number stands the last number given out.
    static var counter: TrieNode { TrieNode(id: .max) }

    /// A key of at most this many bytes, or a part of a longer one. LMDB's keys end at 511 bytes, the node takes 8.
    static let segmentBytesMax = 490
    static let idBytes = 8
}

/// Room for the LMDB key of one row of `current`: 8 bytes node, big-endian, then the segment.
struct TrieRowKey: ~Copyable {
    private let memory = UnsafeMutableRawBufferPointer.allocate(
        byteCount: TrieNode.idBytes + TrieNode.segmentBytesMax, alignment: 8)

    deinit { memory.deallocate() }

    /// Good until the next call.
    func bytes(_ node: TrieNode, _ segment: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        memory.storeBytes(of: node.id.bigEndian, as: UInt64.self)
        memory.dropping(TrieNode.idBytes).copyMemory(from: segment)
        return UnsafeRawBufferPointer(rebasing: memory[..<(TrieNode.idBytes + segment.count)])
    }

    /// Where the node's rows start.
    func bytes(_ node: TrieNode) -> UnsafeRawBufferPointer {
        bytes(node, UnsafeRawBufferPointer(start: nil, count: 0))
    }
}
