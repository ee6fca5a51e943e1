/// A small generator whose whole state is one seed (Steele, Lea, Flood 2014): the same seed gives the same numbers in every
/// process and on every machine.
package struct SplitMix64: RandomNumberGenerator, Sendable {
    private static let increment: UInt64 = 0x9E37_79B9_7F4A_7C15
    private var state: UInt64

    package init(seed: UInt64) {
        state = seed
    }

    package mutating func next() -> UInt64 {
        state &+= Self.increment
        return Self.mix(state)
    }

    /// The number that comes as the `position`th, from 1, after `seed`.
    package static func number(_ position: UInt64, after seed: UInt64) -> UInt64 {
        mix(seed &+ position &* increment)
    }

    private static func mix(_ state: UInt64) -> UInt64 {
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
