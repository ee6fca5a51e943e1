/// Batches that have been sent and not been answered, oldest first.
struct Inflights: Sendable {
    private struct Batch: Sendable {
        var last: LogIndex
        var bytes: Int
    }

    private var batches: [Batch] = []
    /// Batches before it are done; taken out in bulk, so that freeing one costs no move of the rest.
    private var head = 0
    private(set) var bytes = 0

    var count: Int { batches.count - head }
    /// The bytes of the newest one; nil when there is none.
    var newestBytes: Int? { count == 0 ? nil : batches.last?.bytes }

    mutating func add(last: LogIndex, bytes: Int) {
        batches.append(Batch(last: last, bytes: bytes))
        self.bytes += bytes
    }

    mutating func free(through index: LogIndex) {
        while head < batches.count, batches[head].last <= index {
            bytes -= batches[head].bytes
            head += 1
        }
        if head == batches.count {
            batches.removeAll(keepingCapacity: true)
            head = 0
        } else if head > 64, head * 2 > batches.count {
            batches.removeFirst(head)
            head = 0
        }
    }

    mutating func removeAll() {
        batches.removeAll(keepingCapacity: true)
        head = 0
        bytes = 0
    }
}
