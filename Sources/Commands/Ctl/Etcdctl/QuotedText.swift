/// Words with quotes, as etcdctl's input lines have them: "..." with Go's escapes, '...' without any.
package enum QuotedText {
    package static func words(of line: String) throws(CommandFailure) -> [[UInt8]] {
        var words: [[UInt8]] = []
        var rest = line[...]
        while true {
            rest = rest.drop { $0.isWhitespace }
            guard let first = rest.first else { return words }
            if first == "'", let end = rest.dropFirst().firstIndex(of: "'") {
                words.append(Array(rest[rest.index(after: rest.startIndex)..<end].utf8))
                rest = rest[rest.index(after: end)...]
            } else if first == "\"" {
                guard let text = take(&rest) else {
                    throw CommandFailure("invalid quoted string: \(rest)", CommandFailure.invalidInput)
                }
                words.append(text)
            } else {
                let word = rest.prefix { !$0.isWhitespace }
                words.append(Array(word.utf8))
                rest = rest.dropFirst(word.count)
            }
        }
    }

    /// A string in double quotes off the front, with what stands for its escapes; nil if there is none.
    static func take(_ rest: inout Substring) -> [UInt8]? {
        var bytes: [UInt8] = []
        var input = Array(rest.utf8)[...]
        guard input.popFirst() == UInt8(ascii: "\"") else { return nil }
        while let byte = input.popFirst() {
            switch byte {
            case UInt8(ascii: "\""):
                rest = Substring(decoding: input, as: UTF8.self)
                return bytes
            case UInt8(ascii: "\\"):
                guard let escaped = escape(&input) else { return nil }
                bytes += escaped
            case 0x0A: return nil
            default: bytes.append(byte)
            }
        }
        return nil
    }

    private static func escape(_ input: inout ArraySlice<UInt8>) -> [UInt8]? {
        guard let letter = input.popFirst() else { return nil }
        switch letter {
        case UInt8(ascii: "a"): return [0x07]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "v"): return [0x0B]
        case UInt8(ascii: "\\"), UInt8(ascii: "\""): return [letter]
        case UInt8(ascii: "x"): return number(&input, digits: 2, radix: 16).map { [UInt8($0)] }
        case UInt8(ascii: "u"): return scalar(&input, digits: 4)
        case UInt8(ascii: "U"): return scalar(&input, digits: 8)
        case UInt8(ascii: "0")...UInt8(ascii: "7"):
            input = [letter] + input
            return number(&input, digits: 3, radix: 8).flatMap { UInt8(exactly: $0) }.map { [$0] }
        default: return nil
        }
    }

    private static func number(_ input: inout ArraySlice<UInt8>, digits: Int, radix: Int) -> UInt32? {
        guard input.count >= digits else { return nil }
        let text = String(decoding: input.prefix(digits), as: UTF8.self)
        input = input.dropFirst(digits)
        return UInt32(text, radix: radix)
    }

    private static func scalar(_ input: inout ArraySlice<UInt8>, digits: Int) -> [UInt8]? {
        number(&input, digits: digits, radix: 16).flatMap { Unicode.Scalar($0) }.map { Array(String($0).utf8) }
    }
}
