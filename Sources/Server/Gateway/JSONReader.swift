/// What stands at one place of a JSON value.
struct JSONToken {
    enum Kind: Equatable {
        case objectOpen
        case objectClose
        case arrayOpen
        case arrayClose
        /// A string, or the name of a member.
        case string
        case number
        case bool(Bool)
        case null
        case end
    }

    var kind: Kind
    /// Where it stands.
    var place: Range<Int>
    /// What a string says, in UTF-8.
    var text: [UInt8] = []
}

/// Reads one JSON value that `JSONSyntax` has passed, token by token; commas and colons are passed over. What protojson asks
/// for beyond Go's encoding/json is checked here: UTF-8, and surrogates in pairs.
struct JSONReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The kind of the next token, which stays.
    var nextKind: JSONToken.Kind { kind(at: start) }

    mutating func next() throws(GatewayError) -> JSONToken {
        position = start
        let begin = position
        let kind = kind(at: begin)
        var token = JSONToken(kind: kind, place: begin..<begin)
        switch kind {
        case .string: token.text = try readString()
        case .objectOpen, .objectClose, .arrayOpen, .arrayClose: position += 1
        case .bool(let isTrue): position += isTrue ? 4 : 5
        case .null: position += 4
        case .number: while position < bytes.count, Self.isNumeric(bytes[position]) { position += 1 }
        case .end: break
        }
        token.place = begin..<position
        return token
    }

    /// Passes over a whole value.
    mutating func skip() throws(GatewayError) {
        var depth = 0
        repeat {
            switch try next().kind {
            case .objectOpen, .arrayOpen: depth += 1
            case .objectClose, .arrayClose: depth -= 1
            case .string, .number, .bool, .null, .end: break
            }
        } while depth > 0
    }

    /// The token as it was written.
    func raw(_ token: JSONToken) -> String { String(decoding: bytes[token.place], as: UTF8.self) }

    /// - Returns: An error that names the place, in protojson's form; the blank behind the colon is a wide one there.
    func problem(at token: JSONToken, _ text: String) -> GatewayError {
        .invalid("proto:\u{A0}(line \(line(of: token.place.lowerBound))): \(text)")
    }

    func unexpected(_ token: JSONToken) -> GatewayError {
        syntaxProblem(at: token.place.lowerBound, "unexpected token \(raw(token))")
    }

    private func syntaxProblem(at position: Int, _ text: String) -> GatewayError {
        .invalid("proto:\u{A0}syntax error (line \(line(of: position))): \(text)")
    }

    private static let unexpectedEnd = GatewayError.invalid("proto:\u{A0}unexpected EOF")

    /// Line and column, counted in characters from 1.
    private func line(of position: Int) -> String {
        let before = bytes[..<position]
        let newline = UInt8(ascii: "\n")
        let line = before.count { $0 == newline } + 1
        let column = String(
            decoding: before.split(separator: newline, omittingEmptySubsequences: false).last!, as: UTF8.self)
        return "\(line):\(column.unicodeScalars.count + 1)"
    }

    // MARK: Tokens

    private var start: Int {
        var index = position
        while index < bytes.count {
            switch bytes[index] {
            case 0x20, 0x09, 0x0A, 0x0D, UInt8(ascii: ","), UInt8(ascii: ":"): index += 1
            default: return index
            }
        }
        return index
    }

    private func kind(at index: Int) -> JSONToken.Kind {
        guard index < bytes.count else { return .end }
        switch bytes[index] {
        case UInt8(ascii: "{"): return .objectOpen
        case UInt8(ascii: "}"): return .objectClose
        case UInt8(ascii: "["): return .arrayOpen
        case UInt8(ascii: "]"): return .arrayClose
        case UInt8(ascii: "\""): return .string
        case UInt8(ascii: "t"): return .bool(true)
        case UInt8(ascii: "f"): return .bool(false)
        case UInt8(ascii: "n"): return .null
        case let byte:
            precondition(Self.isNumeric(byte), "byte \(byte) begins no token")
            return .number
        }
    }

    private static func isNumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."),
            UInt8(ascii: "e"), UInt8(ascii: "E"):
            true
        default: false
        }
    }

    // MARK: Strings

    /// Reads from one quote to the other.
    private mutating func readString() throws(GatewayError) -> [UInt8] {
        let begin = position
        position += 1
        var text: [UInt8] = []
        while true {
            // Runs of plain ASCII, which base64 is, are taken as one.
            var index = position
            while bytes[index] < 0x80, bytes[index] != UInt8(ascii: "\""), bytes[index] != UInt8(ascii: "\\") {
                index += 1
            }
            text += bytes[position..<index]
            position = index
            switch bytes[index] {
            case UInt8(ascii: "\""):
                position += 1
                return text
            case UInt8(ascii: "\\"): try readEscape(into: &text, from: begin)
            default:
                guard let (_, length) = JSONText.scalar(at: bytes[index...]) else {
                    throw syntaxProblem(at: begin, "invalid UTF-8 in string")
                }
                text += bytes[index..<index + length]
                position += length
            }
        }
    }

    private mutating func readEscape(into text: inout [UInt8], from begin: Int) throws(GatewayError) {
        let sign = bytes[position + 1]
        position += 2
        switch sign {
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            let scalar = try readScalar(from: begin)
            text += Array(String(scalar).utf8)
        default: text.append(sign)
        }
    }

    /// Reads the number of a character, behind its `\u`, and the second half of a surrogate pair.
    private mutating func readScalar(from begin: Int) throws(GatewayError) -> Unicode.Scalar {
        let unit = hexUnit(at: position)!
        position += 4
        if let scalar = Unicode.Scalar(unit) { return scalar }
        guard bytes.count - position >= 6 else { throw Self.unexpectedEnd }
        let next = bytes[position..<position + 6]
        guard next.starts(with: "\\u".utf8), let second = hexUnit(at: position + 2), unit < 0xDC00,
            (0xDC00...0xDFFF).contains(second)
        else {
            throw syntaxProblem(at: begin, "invalid escape code \(JSONText.quoted(next)) in string")
        }
        position += 6
        return Unicode.Scalar(0x10000 + UInt32(unit - 0xD800) << 10 + UInt32(second - 0xDC00))!
    }

    private func hexUnit(at index: Int) -> UInt16? {
        var value: UInt16 = 0
        for byte in bytes[index..<index + 4] {
            guard let digit = JSONText.hexValue(byte) else { return nil }
            value = value << 4 | UInt16(digit)
        }
        return value
    }
}
