/// The streams closed last, and how: what may still come for them depends on it (RFC 9113 §5.1, "closed").
struct ClosedStreams {
    enum How: UInt8 {
        /// We reset it: the peer may not know yet, and what it sent is ignored.
        case resetHere
        /// The peer reset or ended it, and must not send more.
        case closedByPeer
    }

    private static let capacity = 128
    private var numbers = InlineArray<128, UInt32>(repeating: 0)
    private var ways = InlineArray<128, How>(repeating: .resetHere)
    private var next = 0

    mutating func note(_ number: UInt32, _ how: How) {
        numbers[next] = number
        ways[next] = how
        next = (next + 1) % Self.capacity
    }

    /// Nil if it closed long ago, or never opened. A search: for the rare frame that comes late.
    func how(_ number: UInt32) -> How? {
        for index in 0..<Self.capacity where numbers[index] == number { return ways[index] }
        return nil
    }
}
