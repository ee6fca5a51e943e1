internal import Glibc

/// SplitMix64: the same seed gives the same numbers everywhere.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }

    mutating func bytes(upTo max: Int) -> [UInt8] {
        (0..<below(max + 1)).map { _ in UInt8.random(in: 0...255, using: &self) }
    }

    /// The seed of a test: `STRAKE_SEED`, or another one each time. It is printed.
    static func seed(of test: String) -> UInt64 {
        let given = getenv("STRAKE_SEED").flatMap { UInt64(String(cString: $0)) }
        let seed = given ?? UInt64.random(in: 0...UInt64.max)
        print("\(test): STRAKE_SEED=\(seed)")
        return seed
    }
}
