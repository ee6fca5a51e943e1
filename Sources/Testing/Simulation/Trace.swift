/// What happened, as one number: two runs that did the same have the same, and two that differ anywhere do not.
struct Trace {
    /// FNV-1a's.
    private(set) var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    /// Things that happened.
    private(set) var steps = 0
    /// Takes a line of text for each of them.
    let sink: ((String) -> Void)?

    init(sink: ((String) -> Void)?) {
        self.sink = sink
    }

    mutating func step() { steps += 1 }

    /// - Parameters:
    ///   - member: Its number from 1; 0 for what is no member's.
    ///   - words: What tells this from others of its kind.
    mutating func note(
        _ time: Int64, _ member: Int, _ kind: Kind, _ words: UInt64..., text: @autoclosure () -> String = ""
    ) {
        mix(UInt64(bitPattern: time))
        mix(UInt64(member) << 8 | UInt64(kind.rawValue))
        for word in words { mix(word) }
        guard let sink else { return }
        let milliseconds = String(time / 1_000)
        let micros = String(time % 1_000)
        let stamp = milliseconds + "." + String(repeating: "0", count: 3 - micros.count) + micros
        let pad = String(repeating: " ", count: max(0, 11 - stamp.count))
        sink("\(pad)\(stamp) ms  \(member == 0 ? " -" : "m\(member)")  \(kind) \(text())")
    }

    private mutating func mix(_ word: UInt64) {
        var word = word
        for _ in 0..<8 {
            hash = (hash ^ (word & 0xFF)) &* 0x0000_0100_0000_01B3
            word >>= 8
        }
    }

    enum Kind: UInt8 {
        case start = 1
        case crash = 2
        case stop = 3
        case leadership = 4
        case send = 5
        case receive = 6
        case lose = 7
        case write = 8
        case flush = 9
        case apply = 10
        case checkpoint = 11
        case request = 12
        case answer = 13
        case giveUp = 14
        case fault = 15
        case watch = 16
        case heal = 17
        case broken = 18
        case tick = 19
        case compact = 20
        case expire = 21
        case snapshot = 22
        case members = 23
        case store = 24
    }
}
