/// What can stand for a key or a value: bytes, or text, which is stored as its UTF-8.
public protocol ByteConvertible: Sendable {
    var storedBytes: [UInt8] { get }
}

extension [UInt8]: ByteConvertible {
    public var storedBytes: [UInt8] { self }
}

extension String: ByteConvertible {
    public var storedBytes: [UInt8] { Array(utf8) }
}

extension Substring: ByteConvertible {
    public var storedBytes: [UInt8] { Array(utf8) }
}

extension KeyRange {
    /// Every key that begins with `prefix`; every key there is where it is empty.
    public static func prefix(_ prefix: some ByteConvertible) -> KeyRange {
        let lower = prefix.storedBytes
        if lower.isEmpty { return .all }
        // The first key above all that begin so: the last byte that can be counted up is, and nothing follows it.
        var end = lower
        while let last = end.popLast() {
            if last < .max { return KeyRange(lower: lower, upper: .before(end + [last + 1])) }
        }
        return KeyRange(lower: lower, upper: .unbounded)
    }

    /// `key` and every key above it.
    public static func from(_ key: some ByteConvertible) -> KeyRange {
        let lower = key.storedBytes
        return lower.isEmpty ? .all : KeyRange(lower: lower, upper: .unbounded)
    }

    /// The keys from `start` on, below `end`.
    public static func keys(from start: some ByteConvertible, before end: some ByteConvertible) -> KeyRange {
        KeyRange(lower: start.storedBytes, upper: .before(end.storedBytes))
    }
}

extension KeyValue {
    /// The value as text. Bytes that are no UTF-8 are replaced.
    public var text: String { String(decoding: value, as: UTF8.self) }

    /// The key as text. Bytes that are no UTF-8 are replaced.
    public var keyText: String { String(decoding: key, as: UTF8.self) }
}
