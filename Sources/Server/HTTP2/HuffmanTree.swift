/// The tree of `HuffmanCode`, from which its state machine is made.
struct HuffmanTree {
    private struct Node {
        /// Index of an inner node, or `-1 - symbol`; 0 before it is set (the root is nobody's child).
        var children: (Int, Int) = (0, 0)
        /// Number of ones from the root if the path has nothing else, or -1.
        var onesDepth: Int
    }

    private var nodes = [Node(onesDepth: 0)]

    init() {
        for symbol in HuffmanCode.lengths.indices {
            insert(symbol)
        }
    }

    private mutating func insert(_ symbol: Int) {
        let length = Int(HuffmanCode.lengths[symbol])
        let code = HuffmanCode.codes[symbol]
        var node = 0
        for bit in stride(from: length - 1, to: 0, by: -1) {
            let one = code >> UInt32(bit) & 1 == 1
            var child = one ? nodes[node].children.1 : nodes[node].children.0
            if child == 0 {
                child = nodes.count
                let depth = nodes[node].onesDepth
                nodes.append(Node(onesDepth: one && depth >= 0 ? depth + 1 : -1))
                setChild(of: node, one: one, to: child)
            }
            node = child
        }
        setChild(of: node, one: code & 1 == 1, to: -1 - symbol)
    }

    private mutating func setChild(of node: Int, one: Bool, to child: Int) {
        if one { nodes[node].children.1 = child } else { nodes[node].children.0 = child }
    }

    /// 257 symbols have 256 inner nodes: each is a state.
    func transitions() -> [HuffmanCode.Transition] {
        precondition(nodes.count == 256, "the code lengths make no complete tree")
        var table: [HuffmanCode.Transition] = []
        table.reserveCapacity(256 * 16)
        for state in 0..<256 {
            for half in 0..<16 {
                table.append(transition(from: state, half: half))
            }
        }
        return table
    }

    private func transition(from state: Int, half: Int) -> HuffmanCode.Transition {
        var result = HuffmanCode.Transition()
        var node = state
        for bit in stride(from: 3, through: 0, by: -1) {
            let child = half >> bit & 1 == 1 ? nodes[node].children.1 : nodes[node].children.0
            guard child < 0 else {
                node = child
                continue
            }
            let symbol = -1 - child
            guard symbol != HuffmanCode.endOfString else {
                result.flags = HuffmanCode.Transition.fails
                return result
            }
            result.symbol = UInt8(symbol)
            result.flags |= HuffmanCode.Transition.emits
            node = 0
        }
        result.next = UInt8(node)
        // Padding is at most seven ones (RFC 7541 §5.2).
        if (0...7).contains(nodes[node].onesDepth) { result.flags |= HuffmanCode.Transition.accepts }
        return result
    }
}
