internal import StrakeLog
internal import StrakeSeededGenerator
internal import StrakeSimulatedDisk

// Bytes that a disk spoils after they were written: the member has to notice, whatever else it does.
extension SimulatedMember {
    /// Spoils some byte of the member's log or of its small files.
    ///
    /// - Returns: There was one.
    func damage(_ random: inout SeededGenerator) -> Bool {
        var paths = ["/data/STRAKE", "/data/CURRENT"]
        paths += ((try? disk.list("/data/log")) ?? []).map { "/data/log/" + $0 }.filter { !$0.hasSuffix("LOCK") }
        // Mostly the log, whose end is where damage is hardest to tell from a power cut.
        guard let path = (random.chance(10) ? paths.prefix(2) : paths.dropFirst(2)).randomElement(using: &random),
            let bytes = disk.simulated.contents(path), let end = bytes.lastIndex(where: { $0 != 0 })
        else { return false }
        let first = random.chance(50) ? random.below(end + 1) : max(0, end - random.below(200))
        if random.chance(50) {
            disk.simulated.flipBit(path: path, offset: first, bit: random.below(8))
        } else {
            // What was to be written somewhere else.
            for offset in first...min(first + 64, end) {
                let misplaced = UInt8(random.below(255) + 1)
                for bit in 0..<8 where (bytes[offset] ^ misplaced) & 1 << UInt8(bit) != 0 {
                    disk.simulated.flipBit(path: path, offset: offset, bit: bit)
                }
            }
        }
        return true
    }
}
