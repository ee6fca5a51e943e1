package import StrakeSeededGenerator

/// Changes an input at random, the same way for the same seed: bytes set, flipped, dropped or added, the end cut off, or a
/// part of another input put in.
package struct Damage {
    /// Of an input that is put into another.
    private static let partMax = 60

    private let letters: [UInt8]
    private let corpus: [[UInt8]]

    /// - Parameters:
    ///   - letters: What the format cares for; bytes that are put in are often of these.
    ///   - corpus: Inputs whose parts are put in. Without any it is the damaged input's own.
    package init(letters: [UInt8] = [0, 1, 0x7f, 0x80, 0xff], corpus: [[UInt8]] = []) {
        self.letters = letters
        self.corpus = corpus
    }

    package func apply(to bytes: inout [UInt8], _ random: inout SeededGenerator) {
        for _ in 0...random.below(4) {
            let place = random.below(bytes.count + 1)
            // A byte is there, unless the place is behind the last.
            let rest = place..<min(place + 1, bytes.count)
            switch random.below(8) {
            case 0: bytes.replaceSubrange(rest, with: [letter(&random)])
            case 1: bytes.replaceSubrange(rest, with: random.bytes(count: 1))
            case 2: if place < bytes.count { bytes[place] ^= 1 << UInt8(random.below(8)) }
            case 3: bytes.removeSubrange(rest)
            case 4: bytes.insert(letter(&random), at: place)
            case 5: bytes.insert(contentsOf: random.bytes(upTo: 4), at: place)
            case 6: bytes.removeSubrange(place...)
            default: bytes.insert(contentsOf: part(corpus.randomElement(using: &random) ?? bytes, &random), at: place)
            }
        }
    }

    private func letter(_ random: inout SeededGenerator) -> UInt8 { letters[random.below(letters.count)] }

    private func part(_ bytes: [UInt8], _ random: inout SeededGenerator) -> ArraySlice<UInt8> {
        bytes[random.below(bytes.count + 1)...].prefix(random.below(Self.partMax))
    }
}
