import StrakeBolt
import StrakeSeededGenerator
import Testing

@Suite struct DamageTests {
    /// Where the numbers of a page are that others are found by.
    private func damageStructure(_ file: inout [UInt8], _ random: inout SeededGenerator) {
        let page = (3 + random.below(file.count / 4096 - 3)) * 4096
        let place = page + random.below(random.chance(50) ? 16 : 200)
        switch random.below(4) {
        case 0: file[place] ^= 1 << UInt8(random.below(8))
        case 1: file[place] = [0, 1, 2, 0x7F, 0xFF][random.below(5)]
        case 2:
            for offset in 0..<random.below(9) { file[place + offset] = UInt8.random(in: 0...255, using: &random) }
        default:
            // Another page in this one's place.
            let other = random.below(file.count / 4096) * 4096
            file.replaceSubrange(page..<page + 4096, with: file[other..<other + 4096])
        }
    }

    private func damageMeta(_ file: inout [UInt8], _ random: inout SeededGenerator) {
        let meta = 16 + random.below(2) * 4096
        file[meta + random.below(56)] = UInt8.random(in: 0...255, using: &random)
        // With a checksum that fits, or the damage is only noticed.
        let checksum = file[meta..<meta + 56].reduce(UInt64(0xCBF2_9CE4_8422_2325)) {
            ($0 ^ UInt64($1)) &* 0x100_0000_01B3
        }
        for offset in 0..<8 { file[meta + 56 + offset] = UInt8(truncatingIfNeeded: checksum >> UInt64(8 * offset)) }
    }

    @Test func `a damaged file is an error or other entries, and nothing worse`() throws {
        var random = SeededGenerator(seed: SeededGenerator.seed(of: "damaged bbolt files"))
        let files = [
            MemoryFile.write([
                (Array("key".utf8), numbered(6_000) { [UInt8](repeating: 1, count: $0 % 200) }),
                (Array("meta".utf8), numbered(3) { _ in [1] }),
            ]),
            MemoryFile.write([(Array("large".utf8), numbered(40) { [UInt8](repeating: 1, count: $0 * 500) })]),
        ]
        var refused = 0
        for round in 0..<3_000 {
            var file = files[round % files.count]
            for _ in 0...random.below(3) {
                if random.chance(15) { damageMeta(&file, &random) } else { damageStructure(&file, &random) }
            }
            if random.chance(5) { file.removeLast(random.below(file.count)) }
            do throws(BoltError) {
                for bucket in try MemoryFile.read(file) {
                    for (left, right) in zip(bucket.entries, bucket.entries.dropFirst()) {
                        #expect(left.key.lexicographicallyPrecedes(right.key))
                    }
                }
            } catch { refused += 1 }
        }
        #expect(refused > 1_000, "only \(refused) of 3,000 damaged files were refused")
    }

    @Test func `a tree that goes in circles is refused`() throws {
        var file = MemoryFile.write([(Array("key".utf8), numbered(1_000) { _ in [UInt8](repeating: 1, count: 100) })])
        // The root of the bucket is the page before the root of all; its first child becomes itself.
        let branch = file.count - 2 * 4096
        #expect(file[branch + 8] == 1)
        file.replaceSubrange(branch + 24..<branch + 32, with: file[branch..<branch + 8])
        #expect(throws: BoltError.self) { try MemoryFile.read(file) }
    }
}
