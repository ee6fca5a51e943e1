/// The grpc-timeout header: up to eight digits and a unit.
enum GRPCTimeout {
    /// Nil if malformed. Eight digits of hours are more nanoseconds than Int64 has: those become its greatest value.
    static func nanoseconds(_ value: ByteView) -> Int64? {
        guard (2...9).contains(value.count), let unit = unit(value[value.count - 1]) else { return nil }
        var number: Int64 = 0
        for index in 0..<value.count - 1 {
            let digit = value[index]
            guard digit >= UInt8(ascii: "0") && digit <= UInt8(ascii: "9") else { return nil }
            number = number * 10 + Int64(digit - UInt8(ascii: "0"))
        }
        let product = number.multipliedReportingOverflow(by: unit)
        return product.overflow ? Int64.max : product.partialValue
    }

    /// The text grpc-go answers a malformed one with.
    static func complaint(_ value: ByteView) -> String {
        let quoted = GoQuote.quoted(value)
        if value.count < 2 { return "malformed grpc-timeout: transport: timeout string is too short: \(quoted)" }
        if value.count > 9 { return "malformed grpc-timeout: transport: timeout string is too long: \(quoted)" }
        guard unit(value[value.count - 1]) != nil else {
            return "malformed grpc-timeout: transport: timeout unit is not recognized: \(quoted)"
        }
        let digits = GoQuote.quoted(value.slice(from: 0, count: value.count - 1))
        return "malformed grpc-timeout: strconv.ParseInt: parsing \(digits): invalid syntax"
    }

    private static func unit(_ letter: UInt8) -> Int64? {
        switch letter {
        case UInt8(ascii: "n"): 1
        case UInt8(ascii: "u"): 1_000
        case UInt8(ascii: "m"): 1_000_000
        case UInt8(ascii: "S"): 1_000_000_000
        case UInt8(ascii: "M"): 60_000_000_000
        case UInt8(ascii: "H"): 3_600_000_000_000
        default: nil
        }
    }
}

/// Strings as Go's %q prints them, for messages that clients may compare with grpc-go's.
enum GoQuote {
    static func quoted(_ bytes: ByteView) -> String {
        var out = "\""
        for scalar in String(decoding: bytes.buffer, as: UTF8.self).unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                let hex = String(scalar.value, radix: 16)
                out += "\\x" + (hex.count == 1 ? "0" : "") + hex
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}
