struct KeyNodeHeader {
    var count: Int
    /// Bytes that all bounds of the node begin with.
    var sharedCount: Int
    let isLeaf: Bool
    /// The writer's epoch that made the node. A node of an older epoch may be in a snapshot and is not changed again.
    let epoch: UInt64
}

struct KeyNodeSlot {
    /// In a leaf the entry; above it, an event with the lowest key of `child`.
    var event: EventPointer
    /// Retained. Nil in a leaf.
    var child: Unmanaged<KeyNode>?
    /// The key's eight bytes after the shared ones: most comparisons end here, without a look at the event.
    var digest: UInt64 = 0
}

/// A node of a `KeyTree`: up to `capacity` slots in key order.
///
/// Slots hold events without owning them: the layer's log does, and outlives every tree over it. So a leaf is copied
/// without touching the counts of events scattered over memory.
final class KeyNode: ManagedBuffer<KeyNodeHeader, KeyNodeSlot> {
    static let capacity = 32

    static func make(isLeaf: Bool, epoch: UInt64) -> KeyNode {
        let made = create(minimumCapacity: capacity) { _ in
            KeyNodeHeader(count: 0, sharedCount: 0, isLeaf: isLeaf, epoch: epoch)
        }
        return unsafeDowncast(made, to: KeyNode.self)
    }

    deinit {
        guard !isLeaf else { return }
        for index in 0..<count { slots[index].child?.release() }
    }

    @inline(__always)
    private var fields: UnsafeMutablePointer<KeyNodeHeader> { withUnsafeMutablePointerToHeader { $0 } }
    @inline(__always) var count: Int { fields.pointee.count }
    @inline(__always) var isLeaf: Bool { fields.pointee.isLeaf }
    @inline(__always) var epoch: UInt64 { fields.pointee.epoch }
    /// The memory of the slots stays where it is while the node lives.
    @inline(__always) var slots: UnsafeMutablePointer<KeyNodeSlot> { withUnsafeMutablePointerToElements { $0 } }

    var isFull: Bool { count == Self.capacity }

    /// The first slot whose key bounds anything: a child on the left edge takes all that is below the next one.
    @inline(__always) private var firstBound: Int { isLeaf ? 0 : 1 }

    // MARK: Changes

    /// The same slots, owned by the writer of `epoch`.
    func copy(epoch: UInt64) -> KeyNode {
        let copy = KeyNode.make(isLeaf: isLeaf, epoch: epoch)
        copy.take(slots, count: count)
        copy.fields.pointee.sharedCount = fields.pointee.sharedCount
        if !isLeaf {
            for index in 0..<count { _ = slots[index].child?.retain() }
        }
        return copy
    }

    /// Moves the slots from `index` on to a new node.
    func split(at index: Int) -> KeyNode {
        let upper = KeyNode.make(isLeaf: isLeaf, epoch: epoch)
        upper.take(slots + index, count: count - index)
        fields.pointee.count = index
        upper.digestAll()
        digestAll()
        return upper
    }

    private func take(_ source: UnsafeMutablePointer<KeyNodeSlot>, count: Int) {
        slots.update(from: source, count: count)
        fields.pointee.count = count
    }

    /// The caller has seen that there is room, and what index keeps the order.
    func insert(_ event: EventPointer, child: Unmanaged<KeyNode>? = nil, at index: Int) {
        let moved = count - index
        if moved > 0 { (slots + index + 1).update(from: slots + index, count: moved) }
        slots[index] = KeyNodeSlot(event: event, child: child)
        fields.pointee.count += 1
        let shared = fields.pointee.sharedCount
        // A neighbour that bounds something; none or one that shares less: the whole node is to be digested again.
        let neighbour = index > firstBound ? index - 1 : index + 1
        guard neighbour < count, KeyOrder.sharedCount(slots[neighbour].event.key, event.key) >= shared else {
            digestAll()
            return
        }
        slots[index].digest = KeyOrder.digest(of: event.key, from: shared)
    }

    private func digestAll() {
        guard count > firstBound else { return }
        // In order, so what the ends share, all share.
        let shared = KeyOrder.sharedCount(slots[firstBound].event.key, slots[count - 1].event.key)
        fields.pointee.sharedCount = shared
        for index in firstBound..<count {
            slots[index].digest = KeyOrder.digest(of: slots[index].event.key, from: shared)
        }
    }

    // MARK: Search

    /// Index after the bounds that are below `key` (with `orEqual`: not above it).
    @inline(__always)
    func position(of key: UnsafeRawBufferPointer, orEqual: Bool) -> Int {
        let slots = slots
        var low = firstBound
        var high = count
        guard low < high else { return low }
        let shared = fields.pointee.sharedCount
        let order = KeyOrder.compare(
            UnsafeRawBufferPointer(start: slots[low].event.key.baseAddress, count: shared),
            UnsafeRawBufferPointer(start: key.baseAddress, count: min(key.count, shared)))
        if order != 0 { return order < 0 ? high : low }
        let digest = KeyOrder.digest(of: key, from: shared)
        while low < high {
            let middle = (low + high) / 2
            let other = slots[middle].digest
            var isBefore = other < digest
            if other == digest {
                let order = KeyOrder.compare(slots[middle].event.key, key)
                isBefore = order < 0 || (orEqual && order == 0)
            }
            if isBefore { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Index of the child whose part of the keys `key` belongs to.
    @inline(__always)
    func childIndex(for key: UnsafeRawBufferPointer) -> Int { position(of: key, orEqual: true) - 1 }
}
