/// Times with the slot they belong to, earliest first: a binary heap.
///
/// An item is never moved or removed when its lease changes. Whoever takes one out looks at the lease and puts it back
/// if it came too early; items of leases that are gone are dropped then, or all at once by `removeStale`.
struct DeadlineHeap: Sendable {
    struct Item: Sendable {
        /// Milliseconds.
        var due: Int64
        var slot: Int32
        var generation: UInt32
    }

    private var items: [Item] = []

    init() {}

    /// - Complexity: O(n).
    init(_ items: [Item]) {
        self.items = items
        for index in stride(from: items.count / 2 - 1, through: 0, by: -1) { sink(index) }
    }

    var count: Int { items.count }
    var first: Item? { items.first }

    mutating func push(_ item: Item) {
        var index = items.count
        items.append(item)
        while index > 0 {
            let parent = (index - 1) / 2
            if items[parent].due <= item.due { break }
            items[index] = items[parent]
            index = parent
        }
        items[index] = item
    }

    mutating func removeFirst() {
        let last = items.removeLast()
        if items.isEmpty { return }
        items[0] = last
        sink(0)
    }

    /// Puts a later time in the place of the first one.
    mutating func replaceFirst(due: Int64) {
        items[0].due = due
        sink(0)
    }

    mutating func removeStale(_ isStale: (Item) -> Bool) {
        self = DeadlineHeap(items.filter { !isStale($0) })
    }

    private mutating func sink(_ start: Int) {
        let item = items[start]
        var index = start
        while true {
            var child = 2 * index + 1
            if child >= items.count { break }
            if child + 1 < items.count, items[child + 1].due < items[child].due { child += 1 }
            if items[child].due >= item.due { break }
            items[index] = items[child]
            index = child
        }
        items[index] = item
    }
}
