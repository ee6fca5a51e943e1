struct KeyNodeHeader {
    var count: Int
    let isLeaf: Bool
    /// The writer's epoch that made the node. A node of an older epoch may be in a snapshot and is not changed again.
    let epoch: UInt64
}

struct KeyNodeSlot {
    /// In a leaf the entry; above it, an event with the lowest key of `child`. The first slot's bounds nothing.
    var event: EventPointer
    /// Retained. Nil in a leaf.
    var child: Unmanaged<KeyNode>?
}

/// A node of a `KeyTree`: up to `capacity` slots in key order.
///
/// Slots hold events without owning them: the layer's log does, and outlives every tree over it. So a leaf is copied
/// without touching the counts of events scattered over memory.
final class KeyNode: ManagedBuffer<KeyNodeHeader, KeyNodeSlot> {
    static let capacity = 32

    static func make(isLeaf: Bool, epoch: UInt64) -> KeyNode {
        let made = create(minimumCapacity: capacity) { _ in KeyNodeHeader(count: 0, isLeaf: isLeaf, epoch: epoch) }
        return unsafeDowncast(made, to: KeyNode.self)
    }

    deinit {
        guard !isLeaf else { return }
        for index in 0..<count { slots[index].child?.release() }
    }

    @inline(__always) var count: Int { withUnsafeMutablePointerToHeader { $0.pointee.count } }
    @inline(__always) var isLeaf: Bool { withUnsafeMutablePointerToHeader { $0.pointee.isLeaf } }
    @inline(__always) var epoch: UInt64 { withUnsafeMutablePointerToHeader { $0.pointee.epoch } }
    /// The memory of the slots stays where it is while the node lives.
    @inline(__always) var slots: UnsafeMutablePointer<KeyNodeSlot> { withUnsafeMutablePointerToElements { $0 } }

    var isFull: Bool { count == Self.capacity }

    /// The same slots, owned by the writer of `epoch`.
    func copy(epoch: UInt64) -> KeyNode {
        let copy = KeyNode.make(isLeaf: isLeaf, epoch: epoch)
        copy.take(slots, count: count)
        if !isLeaf {
            for index in 0..<count { _ = slots[index].child?.retain() }
        }
        return copy
    }

    /// Moves the slots from `index` on to a new node.
    func split(at index: Int) -> KeyNode {
        let upper = KeyNode.make(isLeaf: isLeaf, epoch: epoch)
        upper.take(slots + index, count: count - index)
        withUnsafeMutablePointerToHeader { $0.pointee.count = index }
        return upper
    }

    private func take(_ source: UnsafeMutablePointer<KeyNodeSlot>, count: Int) {
        slots.update(from: source, count: count)
        withUnsafeMutablePointerToHeader { $0.pointee.count = count }
    }

    /// The caller has seen that there is room.
    func insert(_ slot: KeyNodeSlot, at index: Int) {
        let moved = count - index
        if moved > 0 { (slots + index + 1).update(from: slots + index, count: moved) }
        slots[index] = slot
        withUnsafeMutablePointerToHeader { $0.pointee.count += 1 }
    }

    /// Slots, from `first` on, whose key is below `key` (with `orEqual`: not above it).
    @inline(__always)
    func position(of key: UnsafeRawBufferPointer, from first: Int, orEqual: Bool) -> Int {
        let slots = slots
        var low = first
        var high = count
        while low < high {
            let middle = (low + high) / 2
            let order = KeyOrder.compare(slots[middle].event.key, key)
            if order < 0 || (orEqual && order == 0) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Index of the child whose part of the keys `key` belongs to.
    @inline(__always)
    func childIndex(for key: UnsafeRawBufferPointer) -> Int { position(of: key, from: 1, orEqual: true) - 1 }
}
