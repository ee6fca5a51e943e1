/// A position in the key order of a layer's tree. Whoever holds it keeps the layer's snapshot alive.
struct KeyCursor {
    private struct Step {
        var node: Unmanaged<KeyNode>
        var index: Int
    }

    private let root: Unmanaged<KeyNode>?
    private var path: [Step] = []
    /// The event it stands on, nil beyond the last key.
    private(set) var event: EventPointer?

    /// Stands nowhere until `seek` or `first`.
    init(root: KeyNode?) {
        self.root = root.map { .passUnretained($0) }
    }

    mutating func first() {
        path.removeAll(keepingCapacity: true)
        guard let root else { return }
        descendLeft(from: root)
        settle()
    }

    mutating func seek(atOrAfter key: UnsafeRawBufferPointer) {
        path.removeAll(keepingCapacity: true)
        guard var node = root else { return }
        while true {
            let next: Unmanaged<KeyNode>? = node._withUnsafeGuaranteedRef { inner in
                let index = inner.isLeaf ? inner.position(of: key, orEqual: false) : inner.childIndex(for: key)
                path.append(Step(node: node, index: index))
                return inner.isLeaf ? nil : inner.slots[index].child
            }
            guard let next else { break }
            node = next
        }
        settle()
    }

    mutating func next() {
        guard !path.isEmpty else { return }
        path[path.count - 1].index += 1
        settle()
    }

    private mutating func descendLeft(from top: Unmanaged<KeyNode>) {
        var node = top
        while true {
            path.append(Step(node: node, index: 0))
            guard let child = node._withUnsafeGuaranteedRef({ $0.isLeaf ? nil : $0.slots[0].child }) else { return }
            node = child
        }
    }

    /// From an index that may be beyond the leaf's last slot to the event that comes next.
    private mutating func settle() {
        while let step = path.last {
            let isInside = step.node._withUnsafeGuaranteedRef { step.index < $0.count }
            if isInside {
                if step.node._withUnsafeGuaranteedRef({ $0.isLeaf }) {
                    event = step.node._withUnsafeGuaranteedRef { $0.slots[step.index].event }
                    return
                }
                if let child = step.node._withUnsafeGuaranteedRef({ $0.slots[step.index].child }) {
                    descendLeft(from: child)
                    continue
                }
            }
            path.removeLast()
            if !path.isEmpty { path[path.count - 1].index += 1 }
        }
        event = nil
    }
}
