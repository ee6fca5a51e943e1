internal import StrakeModel

/// A fixed number of events in the order they were made. The writer fills it up; readers look only at the slots that a
/// snapshot's count covers, which are never written again.
final class EventBlock {
    static let capacity = 256

    private let slots: UnsafeMutablePointer<EventStorage>
    /// Slots filled. The writer's alone.
    private var filled = 0

    init() {
        slots = .allocate(capacity: Self.capacity)
    }

    deinit {
        slots.deinitialize(count: filled)
        slots.deallocate()
    }

    /// The caller has seen that there is room.
    func append(_ event: EventStorage) {
        (slots + filled).initialize(to: event)
        filled += 1
    }

    @inline(__always)
    func pointer(at index: Int) -> EventPointer { .passUnretained(slots[index]) }
}

/// All events of a layer, in revision order. Owns them: everything else in the layer only points at them.
struct EventLog {
    private var spine: [EventBlock] = []
    private(set) var count = 0

    mutating func append(_ event: EventStorage) {
        if count % EventBlock.capacity == 0 { spine.append(EventBlock()) }
        spine[spine.count - 1].append(event)
        count += 1
    }

    /// The events from position `start` on. Unchanged by later appends; keeps no block alive that it does not need.
    func events(from start: Int = 0) -> EventBatch {
        if start < EventBlock.capacity { return EventBatch(spine: spine, bounds: start..<count) }
        let skipped = min(start / EventBlock.capacity, spine.count)
        let offset = skipped * EventBlock.capacity
        return EventBatch(spine: Array(spine[skipped...]), bounds: (start - offset)..<(count - offset))
    }
}
