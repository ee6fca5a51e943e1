internal import HeapModule

/// Watchers that wait for their start revision, lowest first.
///
/// A watcher that is canceled stays behind as a stale entry; `stale` counts them, so that they never outnumber the rest.
struct FutureQueue {
    private struct Entry: Comparable {
        let start: Int64
        let reference: WatcherReference

        static func < (left: Entry, right: Entry) -> Bool {
            left.start != right.start
                ? left.start < right.start : left.reference.slot < right.reference.slot
        }
    }

    private var heap = Heap<Entry>()
    private var stale = 0

    mutating func add(_ reference: WatcherReference, start: Int64) {
        heap.insert(Entry(start: start, reference: reference))
    }

    /// A watcher in here is gone.
    mutating func forget(in table: WatcherTable) {
        stale += 1
        guard stale > 64, stale * 2 > heap.count else { return }
        heap = Heap(heap.unordered.filter { table.slot(of: $0.reference) != nil })
        stale = 0
    }

    /// The next watcher that starts at or before the revision.
    mutating func pop(through revision: Int64, in table: WatcherTable) -> Int? {
        while let first = heap.min, first.start <= revision {
            heap.removeMin()
            if let slot = table.slot(of: first.reference) { return slot }
            stale -= 1
        }
        return nil
    }
}
