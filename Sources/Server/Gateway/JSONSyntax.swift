/// Finds where the JSON values of a body end, and what is wrong with one, byte by byte as they come.
///
/// A body goes through two readers, as in etcd: this one takes it apart into values, in the words of Go's encoding/json;
/// `JSONReader` then reads one whole value, in those of protojson. The second may so rely on brackets, commas, literals and
/// numbers being right.
package struct JSONSyntax {
    package enum Verdict {
        /// The value, or the blank space before one, goes on.
        case incomplete
        /// The value ends with this byte.
        case ends
        /// The value, a number, ended before this byte, which is not looked at yet.
        case endsBefore
    }

    /// How deep objects and arrays may nest. Go's bound is 10,000; reading nested messages takes stack. What a Txn may nest,
    /// three brackets a level, fits in.
    static let depthMax = 1_024

    private enum State {
        case value
        case valueOrArrayEnd
        case name
        case nameOrObjectEnd
        case afterName
        case afterValue
        case string
        case escape
        case hex(left: Int)
        case literal(StaticString, next: Int)
        case minus
        case zero
        case digits
        case point
        case fraction
        case exponent
        case exponentSign
        case exponentDigits
    }

    private enum Container {
        case object
        case array
    }

    private var state = State.value
    private var containers: [Container] = []
    /// The string being read is a member's name.
    private var isName = false
    /// Something of a value has come.
    private var hasBegun = false

    package init() {}

    /// Whether the end of the input here is the end of a value: of a number that stands for itself.
    package var endsWithInput: Bool {
        guard containers.isEmpty else { return false }
        return switch state {
        case .zero, .digits, .fraction, .exponentDigits: true
        default: false
        }
    }

    /// Nothing but blank space has come.
    package var isBlank: Bool { !hasBegun }

    /// Takes the next byte of the input.
    package mutating func take(_ byte: UInt8) throws(GatewayError) -> Verdict {
        switch state {
        case .value, .valueOrArrayEnd: return try takeInValue(byte)
        case .name, .nameOrObjectEnd: return try takeBeforeName(byte)
        case .afterName:
            if Self.isSpace(byte) { return .incomplete }
            guard byte == UInt8(ascii: ":") else { throw Self.unexpected(byte, "after object key") }
            state = .value
            return .incomplete
        case .afterValue: return try takeAfterValue(byte)
        case .string, .escape, .hex: return try takeInString(byte)
        case .literal(let word, let next):
            let expected = word.utf8Start[next]
            guard byte == expected else {
                let sign = String(Unicode.Scalar(expected))
                throw Self.unexpected(byte, "in literal \(word) (expecting '\(sign)')")
            }
            if next + 1 == word.utf8CodeUnitCount { return ended(with: .ends) }
            state = .literal(word, next: next + 1)
            return .incomplete
        case .minus, .zero, .digits, .point, .fraction, .exponent, .exponentSign, .exponentDigits:
            return try takeInNumber(byte)
        }
    }

    /// How many bytes at the beginning of the input are a string's own and would change nothing: values in base64 are long, and
    /// are taken as a whole.
    func plainCount(_ input: Slice<UnsafeRawBufferPointer>) -> Int {
        guard case .string = state else { return 0 }
        let end = input.firstIndex { $0 < 0x20 || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }
        return (end ?? input.endIndex) - input.startIndex
    }

    private mutating func takeInValue(_ byte: UInt8) throws(GatewayError) -> Verdict {
        if Self.isSpace(byte) { return .incomplete }
        if case .valueOrArrayEnd = state, byte == UInt8(ascii: "]") { return close() }
        hasBegun = true
        switch byte {
        case UInt8(ascii: "{"):
            try open(.object)
            state = .nameOrObjectEnd
        case UInt8(ascii: "["):
            try open(.array)
            state = .valueOrArrayEnd
        case UInt8(ascii: "\""):
            isName = false
            state = .string
        case UInt8(ascii: "-"): state = .minus
        case UInt8(ascii: "0"): state = .zero
        case UInt8(ascii: "1")...UInt8(ascii: "9"): state = .digits
        case UInt8(ascii: "t"): state = .literal("true", next: 1)
        case UInt8(ascii: "f"): state = .literal("false", next: 1)
        case UInt8(ascii: "n"): state = .literal("null", next: 1)
        default: throw Self.unexpected(byte, "looking for beginning of value")
        }
        return .incomplete
    }

    private mutating func takeBeforeName(_ byte: UInt8) throws(GatewayError) -> Verdict {
        if Self.isSpace(byte) { return .incomplete }
        if case .nameOrObjectEnd = state, byte == UInt8(ascii: "}") { return close() }
        guard byte == UInt8(ascii: "\"") else {
            throw Self.unexpected(byte, "looking for beginning of object key string")
        }
        isName = true
        state = .string
        return .incomplete
    }

    private mutating func takeAfterValue(_ byte: UInt8) throws(GatewayError) -> Verdict {
        if Self.isSpace(byte) { return .incomplete }
        switch (containers.last, byte) {
        case (.object, UInt8(ascii: ",")): state = .name
        case (.array, UInt8(ascii: ",")): state = .value
        case (.object, UInt8(ascii: "}")), (.array, UInt8(ascii: "]")): return close()
        case (.object, _): throw Self.unexpected(byte, "after object key:value pair")
        case (_, _): throw Self.unexpected(byte, "after array element")
        }
        return .incomplete
    }

    private mutating func takeInString(_ byte: UInt8) throws(GatewayError) -> Verdict {
        switch state {
        case .escape:
            switch byte {
            case UInt8(ascii: "u"): state = .hex(left: 4)
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
                UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
                state = .string
            default: throw Self.unexpected(byte, "in string escape code")
            }
        case .hex(let left):
            guard JSONText.hexValue(byte) != nil else {
                throw Self.unexpected(byte, "in \\u hexadecimal character escape")
            }
            state = left == 1 ? .string : .hex(left: left - 1)
        default:
            switch byte {
            case UInt8(ascii: "\\"): state = .escape
            case UInt8(ascii: "\""):
                guard isName else { return ended(with: .ends) }
                state = .afterName
            case 0..<0x20: throw Self.unexpected(byte, "in string literal")
            default: break
            }
        }
        return .incomplete
    }

    private mutating func takeInNumber(_ byte: UInt8) throws(GatewayError) -> Verdict {
        let isDigit = byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
        let isExponent = byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E")
        switch state {
        case .minus:
            guard isDigit else { throw Self.unexpected(byte, "in numeric literal") }
            state = byte == UInt8(ascii: "0") ? .zero : .digits
        case .point:
            guard isDigit else { throw Self.unexpected(byte, "after decimal point in numeric literal") }
            state = .fraction
        case .exponent where byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-"): state = .exponentSign
        case .exponent, .exponentSign:
            guard isDigit else { throw Self.unexpected(byte, "in exponent of numeric literal") }
            state = .exponentDigits
        case .digits where isDigit, .fraction where isDigit, .exponentDigits where isDigit: break
        case .zero where byte == UInt8(ascii: "."), .digits where byte == UInt8(ascii: "."): state = .point
        case .zero where isExponent, .digits where isExponent, .fraction where isExponent: state = .exponent
        default:
            if case .endsBefore = ended(with: .endsBefore) { return .endsBefore }
            // The byte behind a number inside of something belongs to that.
            return try takeAfterValue(byte)
        }
        return .incomplete
    }

    private mutating func open(_ container: Container) throws(GatewayError) {
        guard containers.count < Self.depthMax else { throw .invalid("exceeded max depth") }
        containers.append(container)
    }

    private mutating func close() -> Verdict {
        containers.removeLast()
        return ended(with: .ends)
    }

    /// A value has ended: the whole, or one inside of it.
    private mutating func ended(with verdict: Verdict) -> Verdict {
        guard containers.isEmpty else {
            state = .afterValue
            return .incomplete
        }
        state = .value
        hasBegun = false
        return verdict
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
    }

    private static func unexpected(_ byte: UInt8, _ place: String) -> GatewayError {
        .invalid("invalid character \(JSONText.quoted(character: byte)) \(place)")
    }
}
