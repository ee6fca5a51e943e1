/// A number of 64 bits that stands for a list of numbers: equal lists have equal digests, in every process and version.
///
/// Not made to withstand somebody who chooses the numbers: it finds what hardware and bugs do.
public struct Digest: Hashable, Sendable {
    // Digits of pi: as good as any, and nobody's choice.
    @inlinable static var seed: UInt64 { 0x243f_6a88_85a3_08d3 }
    @inlinable static var first: UInt64 { 0x1319_8a2e_0370_7345 }
    @inlinable static var second: UInt64 { 0xa409_3822_299f_31d1 }

    @usableFromInline var state: UInt64

    @inlinable
    public init() {
        state = Self.seed
    }

    /// Takes two numbers. The order counts.
    @inlinable
    public mutating func add(_ a: UInt64, _ b: UInt64) {
        let rotated = state &<< 1 | state &>> 63
        state = Self.fold(a ^ state ^ Self.first, b ^ Self.second) &+ rotated
    }

    @inlinable
    public mutating func add(_ a: Int64, _ b: Int64) {
        add(UInt64(bitPattern: a), UInt64(bitPattern: b))
    }

    @inlinable
    public var value: UInt64 { Self.fold(state ^ Self.second, Self.first) }

    /// Both halves of the product, so that every bit of it counts.
    @inlinable
    static func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let product = a.multipliedFullWidth(by: b)
        return product.high ^ product.low
    }
}
