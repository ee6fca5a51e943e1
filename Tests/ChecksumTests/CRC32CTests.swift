import StrakeChecksum
import StrakeSeededGenerator
import Testing

@Suite struct CRC32CTests {
    /// A bit at a time, as the polynomial says (0x1EDC6F41, reversed).
    private func slowly(_ bytes: some Sequence<UInt8>, after value: UInt32 = 0) -> UInt32 {
        var remainder = ~value
        for byte in bytes {
            remainder ^= UInt32(byte)
            for _ in 0..<8 {
                let isOdd = remainder & 1 == 1
                remainder >>= 1
                if isOdd { remainder ^= 0x82f6_3b78 }
            }
        }
        return ~remainder
    }

    /// The check value that catalogues of checksums give, and two of RFC 3720's examples (B.4).
    @Test func `known checksums`() {
        #expect(CRC32C.checksum(Array("123456789".utf8)) == 0xe306_9283)
        #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8a91_36aa)
        #expect(CRC32C.checksum(Array(0..<32)) == 0x46dd_794e)
        #expect(CRC32C.checksum([]) == 0)
    }

    /// Lengths around those where one way to read the bytes gives way to another.
    @Test func `every length and place gives the checksum of its bytes`() {
        let seed: UInt64 = 20
        print("seed \(seed)")
        var random = SeededGenerator(seed: seed)
        let bytes = (0..<10_000).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        let around = [0, 8, 64, 192, 256, 768, 1_024, 3_072, 3_840, 4_096, 9_216]
        for length in around.flatMap({ max(0, $0 - 9)...$0 + 9 }) {
            let start = Int.random(in: 0...(bytes.count - length), using: &random)
            let piece = bytes[start..<start + length]
            let before = UInt32.random(in: .min ... .max, using: &random)
            var checksum = CRC32C(resuming: before)
            piece.withUnsafeBytes { checksum.add($0) }
            #expect(checksum.value == slowly(piece, after: before), "\(length) bytes at \(start)")
        }
    }

    @Test func `pieces give the checksum of the whole`() {
        let bytes = (0..<5_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        for cut in [0, 1, 7, 100, 1_024, 3_073, 4_999, 5_000] {
            var checksum = CRC32C()
            checksum.add(Array(bytes[..<cut]))
            checksum.add(Array(bytes[cut...]))
            #expect(checksum.value == CRC32C.checksum(bytes), "cut at \(cut)")
        }
    }
}
