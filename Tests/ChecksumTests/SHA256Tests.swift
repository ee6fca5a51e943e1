import StrakeChecksum
import StrakeSeededGenerator
import Testing

@Suite struct SHA256Tests {
    private func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// FIPS 180-4's own examples, and a million letters a.
    @Test(
        "known checksums",
        arguments: [
            ("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
            ("a", 1_000_000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
        ])
    func known(text: String, times: Int, checksum: String) {
        for usesInstructions in [true, false] {
            var sum = SHA256(usesInstructions: usesInstructions)
            for _ in 0..<times { sum.add(Array(text.utf8)) }
            #expect(hexadecimal(sum.value) == checksum)
        }
    }

    @Test func `how the bytes come makes no difference`() {
        var random = SeededGenerator(seed: SeededGenerator.seed(of: "SHA-256 in pieces"))
        for _ in 0..<500 {
            let bytes = random.bytes(upTo: 700)
            var (whole, pieces) = (SHA256(usesInstructions: false), SHA256())
            whole.add(bytes)
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = 1 + random.below(min(rest.count, 150))
                pieces.add(Array(rest.prefix(count)))
                // Asking in between changes nothing.
                _ = pieces.value
                rest = rest.dropFirst(count)
            }
            #expect(pieces.value == whole.value)
        }
    }
}
