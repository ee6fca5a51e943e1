internal import StrakeModel

/// What the clock knows of each lease, in slots that are used again.
struct LeaseTable: Sendable {
    struct Entry: Sendable {
        /// `.none`: the slot is free.
        var id: LeaseID
        /// Seconds.
        var ttl: Int64
        /// Seconds that a new leader would grant: what the newest applied checkpoint said.
        var checkpointed: Int64
        var generation: UInt32 = 0

        // The rest is the leader's, and what it holds elsewhere means nothing.
        /// Its expiry has been proposed.
        var isExpiring = false
        /// Milliseconds.
        var deadline: Int64 = 0
        /// Milliseconds.
        var checkpointDue: Int64 = 0
        /// Not zero when a checkpoint with less than the whole time may be in the log, newer than any with the whole
        /// time: the number of that checkpoint.
        var shortened: UInt64 = 0
    }

    private(set) var entries: [Entry] = []
    private var free: [Int] = []
    private var slots: [LeaseID: Int32] = [:]

    var count: Int { slots.count }

    subscript(slot: Int) -> Entry {
        _read { yield entries[slot] }
        _modify { yield &entries[slot] }
    }

    func slot(of id: LeaseID) -> Int? { slots[id].map(Int.init) }

    mutating func reserve(_ count: Int) {
        entries.reserveCapacity(count)
        slots.reserveCapacity(count)
    }

    mutating func add(_ lease: Lease) -> Int {
        var entry = Entry(id: lease.id, ttl: lease.ttl, checkpointed: lease.remaining)
        let slot: Int
        if let reused = free.popLast() {
            slot = reused
            entry.generation = entries[slot].generation
            entries[slot] = entry
        } else {
            slot = entries.count
            entries.append(entry)
        }
        let previous = slots.updateValue(Int32(slot), forKey: lease.id)
        precondition(previous == nil, "lease \(lease.id.rawValue) granted twice")
        return slot
    }

    mutating func remove(_ id: LeaseID) -> Int? {
        guard let slot = slots.removeValue(forKey: id).map(Int.init) else { return nil }
        entries[slot].id = .none
        entries[slot].generation &+= 1
        free.append(slot)
        return slot
    }

    func isCurrent(_ item: DeadlineHeap.Item) -> Bool {
        entries[Int(item.slot)].generation == item.generation
    }

    func item(_ slot: Int, due: Int64) -> DeadlineHeap.Item {
        DeadlineHeap.Item(due: due, slot: Int32(slot), generation: entries[slot].generation)
    }
}
