/// Exact keys with a number each: open addressing with linear probing.
///
/// A `Dictionary` would need an array for each key looked up; this one takes lent bytes. Nothing iterates over it, so
/// the hash seed of the process does not show.
package struct KeyTable: Sendable {
    private struct Slot {
        var key: [UInt8]
        var hash: Int
        /// -1: the slot is free.
        var value: Int
    }

    private static let freeSlot = Slot(key: [], hash: 0, value: -1)

    private var slots: [Slot] = []
    package private(set) var count = 0

    package init() {}

    package func value(of key: RawSpan) -> Int? {
        guard count > 0, let slot = find(key, hash: Self.hash(key)) else { return nil }
        return slots[slot].value
    }

    package mutating func set(_ key: [UInt8], to value: Int) {
        let hash = Self.hash(key.span.bytes)
        if !slots.isEmpty, let slot = find(key.span.bytes, hash: hash) {
            slots[slot].value = value
            return
        }
        // At most three quarters full, or the probes get long.
        if (count + 1) * 4 > slots.count * 3 { grow() }
        place(Slot(key: key, hash: hash, value: value))
        count += 1
    }

    package mutating func remove(_ key: [UInt8]) {
        guard count > 0, var hole = find(key.span.bytes, hash: Self.hash(key.span.bytes)) else { return }
        let mask = slots.count - 1
        // Closes the gap: a later slot of the run moves into it unless that would put it before its home.
        var next = (hole + 1) & mask
        while slots[next].value >= 0 {
            let home = slots[next].hash & mask
            if (next &- home) & mask >= (next &- hole) & mask {
                slots[hole] = slots[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        slots[hole] = Self.freeSlot
        count -= 1
    }

    private func find(_ key: RawSpan, hash: Int) -> Int? {
        let mask = slots.count - 1
        var slot = hash & mask
        while slots[slot].value >= 0 {
            if slots[slot].hash == hash, slots[slot].key.compare(key) == 0 { return slot }
            slot = (slot + 1) & mask
        }
        return nil
    }

    private mutating func place(_ new: Slot) {
        let mask = slots.count - 1
        var slot = new.hash & mask
        while slots[slot].value >= 0 { slot = (slot + 1) & mask }
        slots[slot] = new
    }

    private mutating func grow() {
        let old = slots
        slots = Array(repeating: Self.freeSlot, count: max(16, old.count * 2))
        for slot in old where slot.value >= 0 { place(slot) }
    }

    private static func hash(_ key: RawSpan) -> Int {
        var hasher = Hasher()
        key.withUnsafeBytes { hasher.combine(bytes: $0) }
        return hasher.finalize()
    }
}
