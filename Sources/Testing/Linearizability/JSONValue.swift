/// As much of JSON (RFC 8259) as a line of a history needs: no arrays and no fractions.
enum JSONValue: Hashable {
    case null
    case bool(Bool)
    case integer(Int64)
    case string(String)
    /// In the order of the text, each name once.
    case object([Field])

    struct Field: Hashable {
        var name: String
        var value: JSONValue
    }

    /// What is wrong with the text, and after how many bytes.
    struct Malformed: Error, Hashable {
        var reason: String
        var offset: Int
    }

    init(_ text: some Collection<UInt8>) throws(Malformed) {
        var parser = JSONParser(Array(text))
        self = try parser.whole()
    }
}

private struct JSONParser {
    /// Objects within objects.
    private static let depthMax = 8

    private let bytes: [UInt8]
    private var place = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    mutating func whole() throws(JSONValue.Malformed) -> JSONValue {
        let found = try value(depth: 0)
        skipSpace()
        guard place == bytes.count else { throw malformed("something follows the value") }
        return found
    }

    private func malformed(_ reason: String) -> JSONValue.Malformed {
        JSONValue.Malformed(reason: reason, offset: place)
    }

    private mutating func skipSpace() {
        while place < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[place]) { place += 1 }
    }

    private mutating func value(depth: Int) throws(JSONValue.Malformed) -> JSONValue {
        skipSpace()
        guard place < bytes.count else { throw malformed("the text ends where a value has to be") }
        switch bytes[place] {
        case UInt8(ascii: "{"): return .object(try fields(depth: depth))
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .integer(try integer())
        default:
            for (word, value) in [("null", JSONValue.null), ("true", .bool(true)), ("false", .bool(false))]
            where bytes[place...].starts(with: word.utf8) {
                place += word.utf8.count
                return value
            }
            throw malformed("a value has to be an object, a string, an integer, true, false or null")
        }
    }

    private mutating func fields(depth: Int) throws(JSONValue.Malformed) -> [JSONValue.Field] {
        guard depth < Self.depthMax else { throw malformed("objects are nested too deep") }
        place += 1
        var fields: [JSONValue.Field] = []
        skipSpace()
        if take("}") { return [] }
        repeat {
            skipSpace()
            guard place < bytes.count, bytes[place] == UInt8(ascii: "\"") else { throw malformed("a name is missing") }
            let name = try string()
            guard !fields.contains(where: { $0.name == name }) else { throw malformed("\"\(name)\" comes twice") }
            skipSpace()
            guard take(":") else { throw malformed("a colon is missing") }
            fields.append(JSONValue.Field(name: name, value: try value(depth: depth + 1)))
            skipSpace()
        } while take(",")
        guard take("}") else { throw malformed("an object has no end") }
        return fields
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard place < bytes.count, bytes[place] == UInt8(ascii: character) else { return false }
        place += 1
        return true
    }

    private mutating func integer() throws(JSONValue.Malformed) -> Int64 {
        let start = place
        while place < bytes.count, bytes[place] == UInt8(ascii: "-") || (0x30...0x39).contains(bytes[place]) {
            place += 1
        }
        if place < bytes.count, [UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E")].contains(bytes[place]) {
            throw malformed("a number has to be an integer")
        }
        guard let number = Int64(String(decoding: bytes[start..<place], as: UTF8.self)) else {
            throw malformed("a number is not an integer of 64 bits")
        }
        return number
    }

    private mutating func string() throws(JSONValue.Malformed) -> String {
        place += 1
        var text: [UInt8] = []
        while place < bytes.count {
            let byte = bytes[place]
            place += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else {
                    throw malformed("a string is not UTF-8")
                }
                return string
            case UInt8(ascii: "\\"): text += try escaped()
            case 0..<0x20: throw malformed("a control character stands in a string as it is")
            default: text.append(byte)
            }
        }
        throw malformed("a string has no end")
    }

    private mutating func escaped() throws(JSONValue.Malformed) -> [UInt8] {
        guard place < bytes.count else { throw malformed("a string has no end") }
        let byte = bytes[place]
        place += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"): return Array(String(try scalar()).utf8)
        default: throw malformed("an escape that there is not")
        }
    }

    /// After `\u`: one unit of UTF-16, or two that make a pair.
    private mutating func scalar() throws(JSONValue.Malformed) -> Unicode.Scalar {
        let first = try unit()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard (0xD800..<0xDC00).contains(first), take("\\"), take("u") else {
            throw malformed("half a surrogate pair")
        }
        let second = try unit()
        guard (0xDC00..<0xE000).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        else { throw malformed("half a surrogate pair") }
        return scalar
    }

    private mutating func unit() throws(JSONValue.Malformed) -> UInt32 {
        let digits = bytes[place..<min(place + 4, bytes.count)]
        let isHex = digits.allSatisfy { Character(Unicode.Scalar($0)).isHexDigit }
        guard digits.count == 4, isHex, let unit = UInt32(String(decoding: digits, as: UTF8.self), radix: 16) else {
            throw malformed("\\u needs four hexadecimal digits")
        }
        place += 4
        return unit
    }
}
