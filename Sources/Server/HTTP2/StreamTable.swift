/// The open streams: slots that are recycled, and an open-addressing map from stream numbers to them.
struct StreamTable: ~Copyable {
    private(set) var slots: UnsafeMutablePointer<Stream>
    private(set) var slotCapacity = 16
    private var slotsUsed = 0
    private var freeSlot: Int32 = -1
    private(set) var count = 0

    private struct Bucket {
        var number: UInt32 = 0
        var slot: UInt32 = 0
    }
    private var buckets: UnsafeMutablePointer<Bucket>
    private var bucketBits: UInt32 = 6
    /// Odd, and different in each process: peers choose stream numbers and must not choose collisions.
    private let multiplier: UInt32

    /// Queue memory a slot keeps for its next stream.
    private static let queueBytesKept = 1_024

    init() {
        slots = .allocate(capacity: slotCapacity)
        buckets = .allocate(capacity: 1 << Int(bucketBits))
        buckets.initialize(repeating: Bucket(), count: 1 << Int(bucketBits))
        multiplier = UInt32.random(in: .min ... .max) | 1
    }

    deinit {
        for slot in 0..<slotsUsed {
            slots[slot].queue.free()
            slots[slot].assembly.free()
        }
        slots.deallocate()
        buckets.deallocate()
    }

    @inline(__always)
    private func bucket(of number: UInt32) -> Int { Int((number &* multiplier) >> (32 - bucketBits)) }
    private var bucketMask: Int { 1 << Int(bucketBits) - 1 }

    /// Slots that have ever been used: all streams are below.
    var slotLimit: Int { slotsUsed }

    @inline(__always)
    func find(_ number: UInt32) -> Int? {
        var index = bucket(of: number)
        while buckets[index].number != 0 {
            if buckets[index].number == number { return Int(buckets[index].slot) }
            index = (index + 1) & bucketMask
        }
        return nil
    }

    /// The stream of a handle, if it is still there.
    @inline(__always)
    func find(_ stream: StreamID) -> UnsafeMutablePointer<Stream>? {
        guard Int(stream.slot) < slotsUsed, stream.number != 0 else { return nil }
        let pointer = slots + Int(stream.slot)
        return pointer.pointee.number == stream.number ? pointer : nil
    }

    /// Adds a stream that is not there; pointers to streams die.
    mutating func insert(_ number: UInt32) -> Int {
        precondition(number != 0, "stream 0 is the connection")
        let slot: Int
        if freeSlot >= 0 {
            slot = Int(freeSlot)
            freeSlot = slots[slot].nextFree
        } else {
            if slotsUsed == slotCapacity { growSlots() }
            slot = slotsUsed
            slotsUsed += 1
            (slots + slot).initialize(to: Stream())
        }
        count += 1
        // Half full at most.
        if count * 2 > 1 << Int(bucketBits) { growBuckets() }
        place(Bucket(number: number, slot: UInt32(slot)))
        renew(slot, number)
        return slot
    }

    private func renew(_ slot: Int, _ number: UInt32) {
        var stream = Stream()
        stream.number = number
        stream.queue = slots[slot].queue
        stream.isListed = slots[slot].isListed
        stream.nextReady = slots[slot].nextReady
        slots[slot] = stream
    }

    mutating func remove(_ slot: Int) {
        let number = slots[slot].number
        precondition(number != 0, "removed a stream twice")
        erase(number)
        slots[slot].number = 0
        slots[slot].queue.clear(bytesKept: Self.queueBytesKept)
        slots[slot].assembly.free()
        slots[slot].nextFree = freeSlot
        freeSlot = Int32(slot)
        count -= 1
    }

    private func place(_ entry: Bucket) {
        var index = bucket(of: entry.number)
        while buckets[index].number != 0 { index = (index + 1) & bucketMask }
        buckets[index] = entry
    }

    /// Linear probing without tombstones: what was pushed on by the erased entry moves back.
    private func erase(_ number: UInt32) {
        var hole = bucket(of: number)
        while buckets[hole].number != number { hole = (hole + 1) & bucketMask }
        var index = hole
        while true {
            index = (index + 1) & bucketMask
            let entry = buckets[index]
            guard entry.number != 0 else { break }
            let home = bucket(of: entry.number)
            // It may move only if its home is not between the hole and its place.
            if (index - home) & bucketMask >= (index - hole) & bucketMask {
                buckets[hole] = entry
                hole = index
            }
        }
        buckets[hole] = Bucket()
    }

    private mutating func growSlots() {
        let larger = UnsafeMutablePointer<Stream>.allocate(capacity: slotCapacity * 2)
        larger.moveInitialize(from: slots, count: slotsUsed)
        slots.deallocate()
        slots = larger
        slotCapacity *= 2
    }

    private mutating func growBuckets() {
        let old = buckets
        let oldCount = 1 << Int(bucketBits)
        bucketBits += 1
        buckets = .allocate(capacity: oldCount * 2)
        buckets.initialize(repeating: Bucket(), count: oldCount * 2)
        for index in 0..<oldCount where old[index].number != 0 { place(old[index]) }
        old.deallocate()
    }
}
