/// A set of keys that are neighbours in byte order.
///
/// On the wire a range is a key and a range end: an empty end names the single key, the one byte zero means "from the
/// key on", anything else is the first key that is no longer in the range.
public struct KeyRange: Hashable, Sendable {
    public enum Upper: Hashable, Sendable {
        /// Only the key `lower` itself.
        case single
        /// Keys below this one. Not above `lower`: the range is empty.
        case before([UInt8])
        case unbounded
    }

    public var lower: [UInt8]
    public var upper: Upper

    public init(lower: [UInt8], upper: Upper) {
        self.lower = lower
        self.upper = upper
    }

    /// Reads the wire's pair of key and range end.
    public init(key: [UInt8], rangeEnd: [UInt8]) {
        lower = key
        if rangeEnd.isEmpty {
            upper = .single
        } else if rangeEnd.count == 1, rangeEnd[0] == 0 {
            upper = .unbounded
        } else {
            upper = .before(rangeEnd)
        }
    }

    public static func key(_ key: [UInt8]) -> KeyRange { KeyRange(lower: key, upper: .single) }

    /// Every key there can be.
    public static var all: KeyRange { KeyRange(lower: [0], upper: .unbounded) }

    public var isSingle: Bool { upper == .single }

    /// No key can be in it: the end is not above the start.
    public var isEmpty: Bool {
        if case .before(let end) = upper { return !lower.precedes(end) }
        return false
    }

    public func contains(_ key: [UInt8]) -> Bool {
        switch upper {
        case .single: key == lower
        case .before(let end): !key.precedes(lower) && key.precedes(end)
        case .unbounded: !key.precedes(lower)
        }
    }
}

extension [UInt8] {
    /// Byte order, the shorter first when one is the start of the other: the order of keys in the store.
    @inlinable
    public func precedes(_ other: [UInt8]) -> Bool {
        lexicographicallyPrecedes(other)
    }
}
