internal import DequeModule
internal import StrakeRaft

/// What waits for one stream to a member, bounded in bytes and number.
struct SendQueue {
    enum Item {
        case message(Message, bytes: Int)
        case ask(UInt64, request: [UInt8])

        var bytes: Int {
            switch self {
            case .message(_, let bytes): bytes
            case .ask(_, let request): MemoryLayout<UInt64>.size + request.count
            }
        }
    }

    private let bounds: QueueBounds
    private var items: Deque<Item> = []
    private(set) var bytes = 0
    /// Something will take the items: the stream is connected, or is being connected for the first time or right after
    /// it was lost. Otherwise what is said now would be stale when it can be sent.
    var isOpen = true

    init(bounds: QueueBounds) {
        self.bounds = bounds
    }

    var isEmpty: Bool { items.isEmpty }

    /// Takes the item in, or drops it: false.
    mutating func add(_ item: Item) -> Bool {
        guard isOpen, items.count < bounds.count, bytes + item.bytes <= bounds.bytes || items.isEmpty else {
            return false
        }
        items.append(item)
        bytes += item.bytes
        return true
    }

    /// The oldest items, until there are so many bytes.
    mutating func take(bytesMax: Int) -> [Item] {
        var taken: [Item] = []
        var sum = 0
        while sum < bytesMax, let item = items.popFirst() {
            sum += item.bytes
            taken.append(item)
        }
        bytes -= sum
        return taken
    }

    /// Drops everything.
    ///
    /// - Returns: How many messages that were.
    mutating func clear() -> Int {
        let messages = items.count { if case .message = $0 { true } else { false } }
        items.removeAll()
        bytes = 0
        return messages
    }
}
