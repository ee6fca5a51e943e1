/// A small text in JSON (RFC 8259), whole in memory.
package enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    case text(String)
    case number(JSONNumber)
    case array([JSONValue])
    case object([String: JSONValue])

    /// Nil for bytes that are not one value, or one of more than 8 levels, or an object that has a name twice.
    package init?(_ bytes: some Collection<UInt8>) {
        var reader = JSONReader(Array(bytes))
        guard let value = reader.value(depth: 0), reader.isAtEnd() else { return nil }
        self = value
    }
}

/// A number as it was written: ids of 64 bits are more than a `Double` has.
package struct JSONNumber: Hashable, Sendable {
    private let digits: String
    /// Nearest to it; finite.
    package let double: Double

    fileprivate init?(_ digits: String) {
        guard let double = Double(digits), double.isFinite else { return nil }
        self.digits = digits
        self.double = double
    }

    /// Nil for one that is negative, has a fraction or an exponent, or takes more than 64 bits.
    package var unsigned: UInt64? { UInt64(digits) }
}

private struct JSONReader {
    private static let depthMax = 8

    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    mutating func isAtEnd() -> Bool {
        skipSpace()
        return position == bytes.count
    }

    mutating func value(depth: Int) -> JSONValue? {
        skipSpace()
        guard depth < Self.depthMax, position < bytes.count else { return nil }
        switch bytes[position] {
        case UInt8(ascii: "\""): return text().map(JSONValue.text)
        case UInt8(ascii: "{"): return object(depth: depth)
        case UInt8(ascii: "["): return array(depth: depth)
        case UInt8(ascii: "t"): return word("true", .bool(true))
        case UInt8(ascii: "f"): return word("false", .bool(false))
        case UInt8(ascii: "n"): return word("null", .null)
        default: return number()
        }
    }

    private mutating func object(depth: Int) -> JSONValue? {
        var fields: [String: JSONValue] = [:]
        position += 1
        if take("}") { return .object(fields) }
        repeat {
            skipSpace()
            guard position < bytes.count, bytes[position] == UInt8(ascii: "\""), let name = text(), take(":"),
                let value = value(depth: depth + 1)
            else { return nil }
            // Which of two is meant cannot be told.
            guard fields.updateValue(value, forKey: name) == nil else { return nil }
        } while take(",")
        return take("}") ? .object(fields) : nil
    }

    private mutating func array(depth: Int) -> JSONValue? {
        var values: [JSONValue] = []
        position += 1
        if take("]") { return .array(values) }
        repeat {
            guard let value = value(depth: depth + 1) else { return nil }
            values.append(value)
        } while take(",")
        return take("]") ? .array(values) : nil
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) -> JSONValue? {
        let letters = UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
        guard bytes[position...].starts(with: letters) else { return nil }
        position += letters.count
        return value
    }

    private mutating func number() -> JSONValue? {
        let letters = bytes[position...].prefix { "+-.0123456789eE".utf8.contains($0) }
        guard let first = letters.first, first == UInt8(ascii: "-") || (0x30...0x39).contains(first),
            let number = JSONNumber(String(decoding: letters, as: UTF8.self))
        else { return nil }
        position += letters.count
        return .number(number)
    }

    private mutating func text() -> String? {
        position += 1
        var out: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return String(validating: out, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard let scalar = escaped() else { return nil }
                out += Array(String(Character(scalar)).utf8)
            case 0..<0x20: return nil
            default: out.append(byte)
            }
        }
        return nil
    }

    private mutating func escaped() -> Unicode.Scalar? {
        guard position < bytes.count else { return nil }
        defer { position += 1 }
        switch bytes[position] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(bytes[position])
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return unicode()
        default: return nil
        }
    }

    /// Behind the `u`; leaves the position at the last digit.
    private mutating func unicode() -> Unicode.Scalar? {
        guard let high = hexadecimal(at: position + 1) else { return nil }
        position += 4
        if let scalar = Unicode.Scalar(high) { return scalar }
        // A pair of surrogates stands for one above the first 65,536.
        guard (0xd800..<0xdc00).contains(high), position + 2 < bytes.count, bytes[position + 1] == UInt8(ascii: "\\"),
            bytes[position + 2] == UInt8(ascii: "u"), let low = hexadecimal(at: position + 3),
            (0xdc00..<0xe000).contains(low)
        else { return nil }
        position += 6
        return Unicode.Scalar(0x10000 + (high - 0xd800) << 10 + (low - 0xdc00))
    }

    private func hexadecimal(at start: Int) -> UInt32? {
        guard start + 4 <= bytes.count else { return nil }
        let digits = bytes[start..<start + 4]
        guard digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) else { return nil }
        return UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
    }

    private mutating func take(_ letter: Unicode.Scalar) -> Bool {
        skipSpace()
        guard position < bytes.count, bytes[position] == UInt8(ascii: letter) else { return false }
        position += 1
        return true
    }

    private mutating func skipSpace() {
        while position < bytes.count, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[position]) { position += 1 }
    }
}
