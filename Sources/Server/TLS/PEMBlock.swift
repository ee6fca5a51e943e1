/// Blocks of a label in a text (RFC 7468). NIOSSL reads certificates and keys itself; lists of revoked
/// certificates it does not know.
package enum PEMBlock {
    /// The first one. Nil when there is none, or one that is not base64 or does not end.
    package static func content(_ label: String, in text: [UInt8]) -> [UInt8]? { contents(label, in: text)?.first }

    /// All of them. Nil when there is none, or one that is not base64 or does not end.
    static func contents(_ label: String, in text: [UInt8]) -> [[UInt8]]? {
        let begin = Array("-----BEGIN \(label)-----".utf8)
        let end = Array("-----END \(label)-----".utf8)
        var found: [[UInt8]] = []
        var rest = text[...]
        while let start = rest.firstRange(of: begin)?.upperBound {
            guard let stop = rest[start...].firstRange(of: end), let bytes = decoded(rest[start..<stop.lowerBound])
            else {
                return nil
            }
            found.append(bytes)
            rest = rest[stop.upperBound...]
        }
        return found.isEmpty ? nil : found
    }

    package static func encoded(_ label: String, _ content: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var lines: [String] = []
        for line in stride(from: 0, to: content.count, by: 48) {
            var characters: [UInt8] = []
            for place in stride(from: line, to: min(line + 48, content.count), by: 3) {
                let group = content[place..<min(place + 3, content.count)]
                let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
                for index in 0..<4 {
                    let isPadding = index > group.count
                    characters.append(isPadding ? UInt8(ascii: "=") : alphabet[bits >> (18 - 6 * index) & 0x3F])
                }
            }
            lines.append(String(decoding: characters, as: UTF8.self))
        }
        return "-----BEGIN \(label)-----\n" + lines.joined(separator: "\n") + "\n-----END \(label)-----\n"
    }

    private static func decoded(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        var (bits, count) = (UInt32(0), 0)
        for character in text {
            let value: UInt8
            switch character {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = character - UInt8(ascii: "A")
            case UInt8(ascii: "a")...UInt8(ascii: "z"): value = character - UInt8(ascii: "a") + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = character - UInt8(ascii: "0") + 52
            case UInt8(ascii: "+"): value = 62
            case UInt8(ascii: "/"): value = 63
            case UInt8(ascii: "="), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: " "): continue
            default: return nil
            }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return bytes
    }
}
