import StrakeSeededGenerator

/// Damages conversations, the same way for the same seed.
enum Mutator {
    static func damage(_ corpus: [[UInt8]], _ random: inout SeededGenerator) -> [UInt8] {
        var bytes = corpus.randomElement(using: &random)!
        for _ in 0..<Int.random(in: 1...6, using: &random) {
            guard bytes.count > 60 else { break }
            mutate(&bytes, corpus, &random)
        }
        return bytes
    }

    private static func mutate(_ bytes: inout [UInt8], _ corpus: [[UInt8]], _ random: inout SeededGenerator) {
        // The handshake is spared, mostly: behind a broken one there is nothing to find.
        let from = Int.random(in: 0..<20, using: &random) == 0 ? 0 : 50
        let place = Int.random(in: from..<bytes.count, using: &random)
        switch Int.random(in: 0..<10, using: &random) {
        case 0: bytes[place] ^= 1 << UInt8.random(in: 0...7, using: &random)
        case 1: bytes[place] = [0, 1, 0x7F, 0x80, 0xFF].randomElement(using: &random)!
        case 2: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...40, using: &random)))
        case 3: bytes.insert(contentsOf: noise(&random), at: place)
        case 4: bytes.removeSubrange(place...)
        default: mutateFrame(&bytes, corpus, &random)
        }
    }

    private static func noise(_ random: inout SeededGenerator) -> [UInt8] {
        (0..<Int.random(in: 1...30, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
    }

    /// Damage that knows where frames begin gets further in.
    private static func mutateFrame(
        _ bytes: inout [UInt8], _ corpus: [[UInt8]], _ random: inout SeededGenerator
    ) {
        let starts = frameStarts(bytes)
        guard let start = starts.randomElement(using: &random) else { return }
        let end = start + 9 + length(bytes, start)
        let frame = Array(bytes[start..<min(end, bytes.count)])
        switch Int.random(in: 0..<9, using: &random) {
        case 0: bytes[start + 3] = UInt8.random(in: 0...11, using: &random)
        case 1: bytes[start + 4] ^= [1, 4, 8, 0x20].randomElement(using: &random)!
        case 2: bytes[start + 8] = UInt8.random(in: 0...20, using: &random)
        case 3: bytes[start + 2] = bytes[start + 2] &+ UInt8.random(in: 0...3, using: &random) &- 1
        case 4: bytes.insert(contentsOf: frame, at: start)
        case 5: bytes.removeSubrange(start..<min(end, bytes.count))
        case 6: bytes.insert(contentsOf: frame, at: starts.randomElement(using: &random)!)
        case 7:
            let other = corpus.randomElement(using: &random)!
            if let cut = frameStarts(other).randomElement(using: &random) {
                bytes.replaceSubrange(start..., with: other[cut...])
            }
        default:
            // Within the frame's payload.
            guard frame.count > 9 else { return }
            bytes[start + Int.random(in: 9..<frame.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
        }
    }

    private static func length(_ bytes: [UInt8], _ start: Int) -> Int {
        Int(bytes[start]) << 16 | Int(bytes[start + 1]) << 8 | Int(bytes[start + 2])
    }

    private static func frameStarts(_ bytes: [UInt8]) -> [Int] {
        var starts: [Int] = []
        var offset = bytes.starts(with: Wire.magic) ? Wire.magic.count : 0
        while offset + 9 <= bytes.count {
            starts.append(offset)
            offset += 9 + length(bytes, offset)
        }
        return starts
    }
}
