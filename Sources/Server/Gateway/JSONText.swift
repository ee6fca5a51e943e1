/// Text as Go's messages quote it.
enum JSONText {
    static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// One byte in single quotes. Go takes it for the character of that number, whatever it is a part of.
    static func quoted(character byte: UInt8) -> String {
        switch byte {
        case UInt8(ascii: "'"): "'\\''"
        case UInt8(ascii: "\""): "'\"'"
        default: "'\(escaped(Unicode.Scalar(byte)))'"
        }
    }

    /// Bytes in double quotes, those that are no UTF-8 as numbers.
    static func quoted(_ bytes: some Collection<UInt8>) -> String {
        var text = "\""
        var rest = Array(bytes)[...]
        while let first = rest.first {
            if let (scalar, length) = scalar(at: rest) {
                text += escaped(scalar)
                rest = rest.dropFirst(length)
            } else {
                text += "\\x" + hex(UInt32(first), digits: 2)
                rest = rest.dropFirst()
            }
        }
        return text + "\""
    }

    /// The UTF-8 character at the beginning, with its length; `nil` when there is none.
    static func scalar(at bytes: ArraySlice<UInt8>) -> (Unicode.Scalar, Int)? {
        var iterator = bytes.prefix(4).makeIterator()
        var decoder = Unicode.UTF8()
        guard case .scalarValue(let scalar) = decoder.decode(&iterator) else { return nil }
        return (scalar, Unicode.UTF8.width(scalar))
    }

    private static func escaped(_ scalar: Unicode.Scalar) -> String {
        switch scalar.value {
        case 0x07: "\\a"
        case 0x08: "\\b"
        case 0x09: "\\t"
        case 0x0A: "\\n"
        case 0x0B: "\\v"
        case 0x0C: "\\f"
        case 0x0D: "\\r"
        case 0x22: "\\\""
        case 0x5C: "\\\\"
        case 0..<0x20, 0x7F: "\\x" + hex(scalar.value, digits: 2)
        case 0x80..<0xA1, 0xAD: "\\u" + hex(scalar.value, digits: 4)
        default: String(scalar)
        }
    }

    private static func hex(_ value: UInt32, digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}
