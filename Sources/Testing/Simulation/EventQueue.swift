internal import HeapModule

/// What is yet to happen, by time. Things of the same time happen in the order in which they were put in.
struct EventQueue {
    private struct Scheduled: Comparable {
        var time: Int64
        var number: UInt64
        var happening: Happening

        static func < (left: Self, right: Self) -> Bool { (left.time, left.number) < (right.time, right.number) }
        static func == (left: Self, right: Self) -> Bool { left.number == right.number }
    }

    private var heap = Heap<Scheduled>()
    private var count: UInt64 = 0

    mutating func add(_ happening: Happening, at time: Int64) {
        count += 1
        heap.insert(Scheduled(time: time, number: count, happening: happening))
    }

    mutating func next() -> (time: Int64, happening: Happening)? {
        heap.popMin().map { ($0.time, $0.happening) }
    }
}
