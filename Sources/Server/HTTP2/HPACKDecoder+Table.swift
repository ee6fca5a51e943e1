extension HPACKDecoder {
    /// Bytes of a string by its offset: in the static table or in the arena.
    @inline(__always)
    func view(_ offset: UInt32, _ count: UInt32) -> ByteView {
        let base =
            offset & HeaderEntry.staticBit != 0
            ? statics.strings + Int(offset & ~HeaderEntry.staticBit) : UnsafeRawPointer(arena) + Int(offset)
        return ByteView(base: base, count: Int(count))
    }

    func name(of entry: HeaderEntry) -> ByteView { view(entry.nameOffset, entry.nameCount) }
    func value(of entry: HeaderEntry) -> ByteView { view(entry.valueOffset, entry.valueCount) }

    mutating func reserveArena(_ byteCount: Int) {
        guard arenaCapacity - arenaEnd < byteCount else { return }
        arenaCapacity = max(arenaCapacity * 2, arenaEnd + byteCount)
        let larger = UnsafeMutableRawPointer.allocate(byteCount: arenaCapacity, alignment: 16)
        larger.copyMemory(from: arena, byteCount: arenaEnd)
        arena.deallocate()
        arena = larger
    }

    mutating func copyName(of field: inout HeaderEntry) {
        let length = Int(field.nameCount)
        reserveArena(length)
        (arena + arenaEnd).copyMemory(from: arena + Int(field.nameOffset), byteCount: length)
        field.nameOffset = UInt32(arenaEnd)
        arenaEnd += length
    }

    /// Adds an entry whose strings are static or at the arena's end. One larger than the table empties it (RFC 7541 §4.4).
    mutating func insert(_ field: HeaderEntry) {
        evict(to: tableLimit - field.size)
        guard field.size <= tableLimit else { return }
        ring[entryIndex(inserted)] = field
        inserted += 1
        tableBytes += field.size
        dynamicEnd = arenaEnd
    }

    /// Drops the oldest entries until at most `limit` bytes are left; all of them if it is negative.
    mutating func evict(to limit: Int) {
        while tableBytes > limit, oldest < inserted {
            tableBytes -= ring[entryIndex(oldest)].size
            oldest += 1
        }
    }

    /// After a field of a block that will be refused.
    mutating func trimArena() {
        arenaEnd = dynamicEnd
        if dynamicEnd > 2 * Self.tableBytesMax { compact() }
    }

    /// Moves the table's strings to the arena's front. Those of the block are lost.
    mutating func compact() {
        var to = 0
        for number in oldest..<inserted {
            let slot = entryIndex(number)
            ring[slot].nameOffset = move(ring[slot].nameOffset, ring[slot].nameCount, &to)
            ring[slot].valueOffset = move(ring[slot].valueOffset, ring[slot].valueCount, &to)
        }
        dynamicEnd = to
        arenaEnd = to
    }

    /// Entries lie in the order of their numbers, name before value: moving down never overwrites what comes later.
    private mutating func move(_ offset: UInt32, _ count: UInt32, _ to: inout Int) -> UInt32 {
        guard offset & HeaderEntry.staticBit == 0 else { return offset }
        let target = to
        (arena + target).copyMemory(from: arena + Int(offset), byteCount: Int(count))
        to += Int(count)
        return UInt32(target)
    }
}
