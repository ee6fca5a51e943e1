/// Text as Go prints it, byte for byte: what scripts that read etcdctl's output expect.
package enum GoText {
    /// `%q` of a string that may be any bytes.
    package static func quoted(_ bytes: some Collection<UInt8>) -> String {
        var out = "\""
        var rest = Array(bytes)[...]
        while let first = rest.first {
            guard let (scalar, count) = scalar(at: rest) else {
                out += "\\x" + hex(first)
                rest.removeFirst()
                continue
            }
            out += escaped(scalar)
            rest.removeFirst(count)
        }
        return out + "\""
    }

    package static func quoted(_ text: String) -> String { quoted(Array(text.utf8)) }

    private static func escaped(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\"": return "\\\""
        case "\\": return "\\\\"
        case "\u{07}": return "\\a"
        case "\u{08}": return "\\b"
        case "\u{0C}": return "\\f"
        case "\n": return "\\n"
        case "\r": return "\\r"
        case "\t": return "\\t"
        case "\u{0B}": return "\\v"
        default: break
        }
        if isPrintable(scalar) { return String(Character(scalar)) }
        if scalar.value < 0x80 { return "\\x" + hex(UInt8(scalar.value)) }
        let digits = String(scalar.value, radix: 16)
        return scalar.value < 0x1_0000
            ? "\\u" + padded(digits, to: 4, with: "0") : "\\U" + padded(digits, to: 8, with: "0")
    }

    /// Go's unicode.IsPrint: letters, marks, numbers, punctuation, symbols, and the ASCII space.
    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        if scalar == " " { return true }
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .spaceSeparator, .lineSeparator,
            .paragraphSeparator:
            return false
        default: return true
        }
    }

    /// The first UTF-8 scalar and its length; nil where the bytes are none.
    private static func scalar(at bytes: ArraySlice<UInt8>) -> (Unicode.Scalar, Int)? {
        guard let first = bytes.first else { return nil }
        let count =
            switch first {
            case 0..<0x80: 1
            case 0xC2...0xDF: 2
            case 0xE0...0xEF: 3
            case 0xF0...0xF4: 4
            default: 0
            }
        guard count > 0, let text = String(validating: bytes.prefix(count), as: UTF8.self) else { return nil }
        return text.unicodeScalars.first.map { ($0, count) }
    }

    /// A JSON string as encoding/json writes it: safe inside HTML.
    static func json(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case "<", ">", "&", "\u{2028}", "\u{2029}",
                _ where scalar.value < 0x20:
                out += "\\u" + padded(String(scalar.value, radix: 16), to: 4, with: "0")
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }

    package static func base64(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var out: [UInt8] = []
        out.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(0) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
            for place in 0..<4 {
                out.append(
                    place <= group.count ? alphabet[Int(bits >> UInt32(18 - 6 * place) & 63)] : UInt8(ascii: "="))
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// etcdctl's --hex: each byte as \xNN.
    static func hexText(_ bytes: [UInt8]) -> [UInt8] { bytes.flatMap { Array("\\x".utf8) + Array(hex($0).utf8) } }

    static func hex(_ byte: UInt8) -> String { padded(String(byte, radix: 16), to: 2, with: "0") }

    /// `%x` with a width.
    static func hex(_ number: UInt64, width: Int = 0, pad: Character = "0") -> String {
        padded(String(number, radix: 16), to: width, with: pad)
    }

    static func padded(_ text: String, to width: Int, with pad: Character) -> String {
        String(repeating: pad, count: max(0, width - text.count)) + text
    }

    /// dustin/go-humanize's Bytes: decimal units, a decimal below ten.
    package static func size(_ bytes: Int64) -> String {
        guard bytes >= 10 else { return "\(bytes) B" }
        var value = Double(bytes)
        var unit = 0
        let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"]
        while value >= 1_000 && unit < units.count - 1 {
            value /= 1_000
            unit += 1
        }
        let tenths = (value * 10 + 0.5).rounded(.down) / 10
        return (tenths < 10 ? decimal(tenths, places: 1) : decimal(tenths, places: 0)) + " " + units[unit]
    }

    /// A number of at least 0 with so many decimals, rounded half to even as printf does.
    static func decimal(_ number: Double, places: Int) -> String {
        var scale = 1.0
        for _ in 0..<places { scale *= 10 }
        let scaled = Int64((number * scale).rounded(.toNearestOrEven))
        guard places > 0 else { return "\(scaled)" }
        let divisor = Int64(scale)
        return "\(scaled / divisor)." + padded("\(scaled % divisor)", to: places, with: "0")
    }

    /// time.Duration's String.
    package static func duration(nanoseconds: Int64) -> String {
        switch nanoseconds {
        case 0: return "0s"
        case ..<1_000: return "\(nanoseconds)ns"
        case ..<1_000_000: return fraction(nanoseconds, 1_000) + "µs"
        case ..<1_000_000_000: return fraction(nanoseconds, 1_000_000) + "ms"
        default: break
        }
        let minutes = nanoseconds / 60_000_000_000
        let seconds = fraction(nanoseconds % 60_000_000_000, 1_000_000_000) + "s"
        if minutes == 0 { return seconds }
        return minutes < 60 ? "\(minutes)m" + seconds : "\(minutes / 60)h\(minutes % 60)m" + seconds
    }

    /// Without zeros at the end.
    private static func fraction(_ number: Int64, _ unit: Int64) -> String {
        var rest = number % unit
        guard rest > 0 else { return "\(number / unit)" }
        var width = String(unit).count - 1
        while rest % 10 == 0 {
            rest /= 10
            width -= 1
        }
        return "\(number / unit)." + padded("\(rest)", to: width, with: "0")
    }
}
