/// Bytes as text (RFC 4648).
package enum Base64 {
    package enum Alphabet: Sendable {
        /// With `+` and `/`, filled up with `=` to a multiple of four.
        case standard
        /// With `-` and `_`, not filled up: section 5, as tokens have it.
        case url
    }

    private static let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)

    private static func digits(_ alphabet: Alphabet) -> [UInt8] {
        switch alphabet {
        case .standard: letters + Array("+/".utf8)
        case .url: letters + Array("-_".utf8)
        }
    }

    package static func encode(_ bytes: [UInt8], _ alphabet: Alphabet) -> String {
        let digits = digits(alphabet)
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(0) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
            for position in 0...group.count {
                text.append(digits[Int(bits >> UInt32(18 - 6 * position) & 63)])
            }
            if alphabet == .standard { text += [UInt8](repeating: UInt8(ascii: "="), count: 3 - group.count) }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Nil for a text that `encode` would not have made.
    package static func decode(_ text: some Collection<UInt8>, _ alphabet: Alphabet) -> [UInt8]? {
        let digits = digits(alphabet)
        var values: [UInt32] = []
        let fill = text.reversed().prefix { $0 == UInt8(ascii: "=") }.count
        for letter in text.dropLast(fill) {
            guard let value = digits.firstIndex(of: letter) else { return nil }
            values.append(UInt32(value))
        }
        let missing = (4 - values.count % 4) % 4
        guard missing < 3, fill == (alphabet == .standard ? missing : 0) else { return nil }
        var bytes: [UInt8] = []
        for start in stride(from: 0, to: values.count, by: 4) {
            let group = values[start..<min(start + 4, values.count)]
            let bits = group.reduce(0) { $0 << 6 | $1 } << UInt32(6 * (4 - group.count))
            // What does not fill a byte has to be zero.
            guard bits & ((1 << UInt32(8 * (4 - group.count))) - 1) == 0 else { return nil }
            for position in 0..<group.count - 1 {
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(16 - 8 * position)))
            }
        }
        return bytes
    }
}
