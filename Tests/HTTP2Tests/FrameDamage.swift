import StrakeSeededGenerator

/// Changes conversations at random, the same way for the same seed, with regard to where frames begin.
enum FrameDamage {
    static func apply(to bytes: inout [UInt8], _ corpus: [[UInt8]], _ random: inout SeededGenerator) {
        for _ in 0...random.below(4) { changeFrame(&bytes, corpus, &random) }
    }

    private static func changeFrame(
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
