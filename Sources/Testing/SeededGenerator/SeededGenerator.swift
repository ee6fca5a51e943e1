internal import Glibc
internal import StrakeRandom

/// What tests draw from a seed, so that a test which failed fails again.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var numbers: SplitMix64

    package init(seed: UInt64) {
        numbers = SplitMix64(seed: seed)
    }

    package mutating func next() -> UInt64 { numbers.next() }

    package mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }

    package mutating func chance(_ percent: Int) -> Bool { below(100) < percent }

    package mutating func bytes(count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
    }

    package mutating func bytes(upTo max: Int) -> [UInt8] { bytes(count: below(max + 1)) }

    /// The seed of a test: `STRAKE_SEED`, or another one each time. It is printed.
    package static func seed(of test: String) -> UInt64 {
        let given = getenv("STRAKE_SEED").flatMap { UInt64(String(cString: $0)) }
        let seed = given ?? UInt64.random(in: 0...UInt64.max)
        print("\(test): STRAKE_SEED=\(seed)")
        return seed
    }
}
