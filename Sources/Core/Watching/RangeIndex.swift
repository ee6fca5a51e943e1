package import StrakeModel
internal import StrakeRandom

/// Ranges of keys with a number each, searched by a key inside them.
///
/// A treap ordered by lower bound, where each node knows the highest end below it (an interval tree). Its depth is
/// logarithmic for whoever does not know the priorities, which follow from the seed: where ranges come from strangers, the
/// seed has to be a secret.
///
/// - Complexity: O(log n) for a change; O(log n) for a search, and as much again for each range found.
package struct RangeIndex: Sendable {
    private struct Node {
        var lower: KeyArena.Piece
        var end: KeyArena.Piece
        /// The highest end below here, this one included.
        var highest: KeyArena.Piece
        // With 32 bits each a node fills one line of the processor's cache.
        var left: Int32 = -1
        var right: Int32 = -1
        var priority: UInt32
        /// -1: the node is free.
        var value: Int32
    }

    private var nodes: [Node] = []
    private var free: [Int32] = []
    private var root: Int32 = -1
    private var arena = KeyArena()
    private var liveBytes = 0
    private var priorities: SplitMix64

    /// - Parameter seed: The same one makes the same shape of the same ranges.
    package init(seed: UInt64 = 0) {
        priorities = SplitMix64(seed: seed)
    }

    package var count: Int { nodes.count - free.count }

    // MARK: Searching

    /// Appends the values of all ranges that have the key, by lower bound.
    package func collect(_ key: RawSpan, into values: inout [Int]) {
        collect(key, under: root, into: &values)
    }

    private func collect(_ key: RawSpan, under start: Int32, into values: inout [Int]) {
        var index = start
        while index >= 0 {
            let node = nodes[Int(index)]
            if arena.compare(node.lower, key) > 0 {
                // Nor can what lies to the right begin in time.
                index = node.left
                continue
            }
            if node.left >= 0, arena.compare(nodes[Int(node.left)].highest, key) > 0 {
                collect(key, under: node.left, into: &values)
            }
            if arena.compare(node.end, key) > 0 { values.append(Int(node.value)) }
            index = node.right
        }
    }

    /// Some range has the key.
    ///
    /// - Complexity: O(log n).
    package func containsAny(around key: RawSpan) -> Bool {
        var index = root
        while index >= 0 {
            let node = nodes[Int(index)]
            if arena.compare(node.lower, key) > 0 {
                index = node.left
            } else if node.left >= 0, arena.compare(nodes[Int(node.left)].highest, key) > 0 {
                // What lies to the left begins at or below the key, and one of it ends above.
                return true
            } else if arena.compare(node.end, key) > 0 {
                return true
            } else {
                index = node.right
            }
        }
        return false
    }

    package func value(of range: KeyRange) -> Int? {
        let index = find(range)
        return index < 0 ? nil : Int(nodes[Int(index)].value)
    }

    private func find(_ range: KeyRange) -> Int32 {
        var index = root
        while index >= 0 {
            let node = nodes[Int(index)]
            let order = compare(node, range)
            if order == 0 { return index }
            index = order > 0 ? node.left : node.right
        }
        return -1
    }

    private func compare(_ node: Node, _ range: KeyRange) -> Int {
        let order = arena.compare(node.lower, range.lower.span.bytes)
        if order != 0 { return order }
        guard case .before(let end) = range.upper else { return node.end.isUnbounded ? 0 : -1 }
        return arena.compare(node.end, end.span.bytes)
    }

    private func precedes(_ left: Int32, _ right: Int32) -> Bool {
        let (left, right) = (nodes[Int(left)], nodes[Int(right)])
        let order = arena.compare(left.lower, right.lower)
        return order != 0 ? order < 0 : arena.compare(left.end, right.end) < 0
    }

    // MARK: Changing

    package mutating func set(_ range: KeyRange, to value: Int) {
        precondition(!range.isSingle && value >= 0)
        let present = find(range)
        if present >= 0 {
            nodes[Int(present)].value = Int32(value)
            return
        }
        let end = append(range.upper)
        let node = Node(
            lower: arena.append(range.lower), end: end, highest: end,
            priority: UInt32(truncatingIfNeeded: priorities.next()), value: Int32(value))
        let index: Int32
        if let reused = free.popLast() {
            index = reused
            nodes[Int(index)] = node
        } else {
            index = Int32(nodes.count)
            nodes.append(node)
        }
        liveBytes += bytes(of: node)
        root = insert(index, under: root)
    }

    package mutating func remove(_ range: KeyRange) {
        let index = find(range)
        if index < 0 { return }
        root = remove(index, under: root)
        liveBytes -= bytes(of: nodes[Int(index)])
        nodes[Int(index)].value = -1
        free.append(index)
        // More than half of the arena is keys that are gone.
        if arena.bytes.count > 4_096, arena.bytes.count > 2 * liveBytes { repack() }
    }

    private mutating func append(_ upper: KeyRange.Upper) -> KeyArena.Piece {
        switch upper {
        case .before(let end): arena.append(end)
        case .unbounded: .unbounded
        case .single: preconditionFailure("a single key is no range of the index")
        }
    }

    private func bytes(of node: Node) -> Int { node.lower.count + max(0, node.end.count) }

    private mutating func repack() {
        var packed = KeyArena()
        for index in nodes.indices where nodes[index].value >= 0 {
            nodes[index].lower = packed.append(nodes[index].lower, from: arena)
            nodes[index].end = packed.append(nodes[index].end, from: arena)
        }
        arena = packed
        updateAll(under: root)
    }

    private mutating func updateAll(under top: Int32) {
        if top < 0 { return }
        updateAll(under: nodes[Int(top)].left)
        updateAll(under: nodes[Int(top)].right)
        update(top)
    }

    // MARK: The treap

    private mutating func insert(_ new: Int32, under top: Int32) -> Int32 {
        if top < 0 { return new }
        if nodes[Int(new)].priority > nodes[Int(top)].priority {
            let (before, after) = split(top, at: new)
            nodes[Int(new)].left = before
            nodes[Int(new)].right = after
            update(new)
            return new
        }
        if precedes(new, top) {
            nodes[Int(top)].left = insert(new, under: nodes[Int(top)].left)
        } else {
            nodes[Int(top)].right = insert(new, under: nodes[Int(top)].right)
        }
        update(top)
        return top
    }

    private mutating func split(_ top: Int32, at new: Int32) -> (before: Int32, after: Int32) {
        if top < 0 { return (-1, -1) }
        if precedes(top, new) {
            let (before, after) = split(nodes[Int(top)].right, at: new)
            nodes[Int(top)].right = before
            update(top)
            return (top, after)
        }
        let (before, after) = split(nodes[Int(top)].left, at: new)
        nodes[Int(top)].left = after
        update(top)
        return (before, top)
    }

    private mutating func remove(_ old: Int32, under top: Int32) -> Int32 {
        if top == old { return merge(nodes[Int(old)].left, nodes[Int(old)].right) }
        if precedes(old, top) {
            nodes[Int(top)].left = remove(old, under: nodes[Int(top)].left)
        } else {
            nodes[Int(top)].right = remove(old, under: nodes[Int(top)].right)
        }
        update(top)
        return top
    }

    private mutating func merge(_ before: Int32, _ after: Int32) -> Int32 {
        if before < 0 { return after }
        if after < 0 { return before }
        if nodes[Int(before)].priority > nodes[Int(after)].priority {
            nodes[Int(before)].right = merge(nodes[Int(before)].right, after)
            update(before)
            return before
        }
        nodes[Int(after)].left = merge(before, nodes[Int(after)].left)
        update(after)
        return after
    }

    private mutating func update(_ index: Int32) {
        let node = nodes[Int(index)]
        var highest = node.end
        if node.left >= 0 { highest = higher(nodes[Int(node.left)].highest, highest) }
        if node.right >= 0 { highest = higher(nodes[Int(node.right)].highest, highest) }
        nodes[Int(index)].highest = highest
    }

    private func higher(_ left: KeyArena.Piece, _ right: KeyArena.Piece) -> KeyArena.Piece {
        arena.compare(left, right) > 0 ? left : right
    }
}
