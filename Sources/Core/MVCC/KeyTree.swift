/// A sorted map from key to the key's newest event in a layer: a B+tree whose snapshots cost nothing.
///
/// A snapshot is the root; taking one starts a new epoch. The writer changes nodes of its own epoch in place and copies
/// others on the way down (path copying), so what a snapshot reaches never changes.
struct KeyTree {
    private(set) var root: KeyNode?
    private var epoch: UInt64 = 0

    /// The tree as it is now, for readers on any thread.
    mutating func snapshot() -> KeyNode? {
        epoch += 1
        return root
    }

    /// Adds the event, or puts it in the place of its key's older one.
    mutating func insert(_ event: EventPointer) {
        let key = event.key
        var node = ownedRoot()
        while true {
            let isLeaf = node._withUnsafeGuaranteedRef { $0.isLeaf }
            if isLeaf { break }
            node = node._withUnsafeGuaranteedRef { descend(from: $0, to: key) }
        }
        node._withUnsafeGuaranteedRef { leaf in
            let index = leaf.position(of: key, orEqual: false)
            if index < leaf.count, KeyOrder.compare(leaf.slots[index].event.key, key) == 0 {
                leaf.slots[index].event = event
            } else {
                leaf.insert(event, at: index)
            }
        }
    }

    /// The root, changeable and not full.
    private mutating func ownedRoot() -> Unmanaged<KeyNode> {
        guard var top = root else {
            let leaf = KeyNode.make(isLeaf: true, epoch: epoch)
            root = leaf
            return .passUnretained(leaf)
        }
        if top.isFull {
            let above = KeyNode.make(isLeaf: false, epoch: epoch)
            above.insert(top.slots[0].event, child: .passRetained(top), at: 0)
            root = above
            top = above
        } else if top.epoch != epoch {
            top = top.copy(epoch: epoch)
            root = top
        }
        return .passUnretained(top)
    }

    /// The child of `node` that `key` belongs to, changeable and not full. `node` itself is both.
    private func descend(from node: KeyNode, to key: UnsafeRawBufferPointer) -> Unmanaged<KeyNode> {
        let index = node.childIndex(for: key)
        guard var child = node.slots[index].child else { preconditionFailure("an inner slot without a child") }
        if child._withUnsafeGuaranteedRef({ $0.epoch }) != epoch {
            let copy = Unmanaged.passRetained(child._withUnsafeGuaranteedRef { $0.copy(epoch: epoch) })
            node.slots[index].child = copy
            child.release()
            child = copy
        }
        guard child._withUnsafeGuaranteedRef({ $0.isFull }) else { return child }
        let upper = child._withUnsafeGuaranteedRef { full in
            // Keys often arrive in order: then a split in the middle would leave every node half empty.
            let isAbove = KeyOrder.compare(full.slots[full.count - 1].event.key, key) < 0
            return full.split(at: isAbove ? full.count - 1 : full.count / 2)
        }
        let first = upper.slots[0].event
        node.insert(first, child: .passRetained(upper), at: index + 1)
        return KeyOrder.compare(first.key, key) <= 0 ? .passUnretained(upper) : child
    }
}

extension KeyNode {
    /// The event of `key` in the tree below this root. Good while the layer is.
    func find(_ key: UnsafeRawBufferPointer) -> EventPointer? {
        var node = Unmanaged.passUnretained(self)
        while let child = node._withUnsafeGuaranteedRef({ $0.isLeaf ? nil : $0.slots[$0.childIndex(for: key)].child }) {
            node = child
        }
        return node._withUnsafeGuaranteedRef { leaf in
            let index = leaf.position(of: key, orEqual: false)
            guard index < leaf.count else { return nil }
            let event = leaf.slots[index].event
            return KeyOrder.compare(event.key, key) == 0 ? event : nil
        }
    }
}
