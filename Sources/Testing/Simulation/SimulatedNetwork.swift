internal import StrakeRaft
internal import StrakeSeededGenerator

/// Between each two members, each way by itself: whether messages arrive, how late, and how often.
struct SimulatedNetwork {
    private var random: SeededGenerator
    private let members: Int
    /// By sender and receiver.
    private var isCut: [Bool]
    /// Of a thousand messages.
    var lost = 0
    var repeated = 0
    /// Messages of which one in a thousand is much later than the others.
    var late = 0
    /// Microseconds, at least and at most.
    var delay: ClosedRange<Int64> = 100...2_000

    init(seed: UInt64, members: Int) {
        random = SeededGenerator(seed: seed)
        self.members = members
        isCut = [Bool](repeating: false, count: (members + 1) * (members + 1))
    }

    mutating func setCut(from: Int, to: Int, _ cut: Bool) { isCut[from * (members + 1) + to] = cut }

    /// Messages arrive soon, and once.
    mutating func setFair() { (lost, repeated, late) = (0, 0, 0) }

    mutating func reconnectAll() {
        for link in isCut.indices { isCut[link] = false }
    }

    func isCut(from: Int, to: Int) -> Bool { isCut[from * (members + 1) + to] }

    /// When a message sent now arrives: not at all, once, or twice.
    mutating func arrivals(from: Int, to: Int) -> [Int64] {
        if isCut(from: from, to: to) || isChosen(lost) { return [] }
        return isChosen(repeated) ? [oneDelay(), oneDelay()] : [oneDelay()]
    }

    mutating func clientDelay() -> Int64 { Int64.random(in: 50...1_500, using: &random) }

    /// Of a stream, which sends again what is lost.
    mutating func streamDelay() -> Int64 { oneDelay() + (isChosen(lost) ? 200_000 : 0) }

    private mutating func oneDelay() -> Int64 {
        let usual = Int64.random(in: delay, using: &random)
        return isChosen(late) ? usual + Int64.random(in: 10_000...2_000_000, using: &random) : usual
    }

    private mutating func isChosen(_ thousandths: Int) -> Bool {
        thousandths > 0 && Int.random(in: 0..<1_000, using: &random) < thousandths
    }
}
