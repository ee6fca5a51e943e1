/// Durations as Go writes them: decimal numbers with a unit each, such as `1h30m` or `2.5s`.
package enum GoDuration {
    /// `nil` when the text is not one. Parts of a millisecond are cut off; a lone `0` needs no unit.
    package static func milliseconds(_ text: String) -> Int64? {
        if text == "0" { return 0 }
        var rest = Substring(text)
        var sign = 1.0
        if let first = rest.first, first == "-" || first == "+" {
            sign = first == "-" ? -1 : 1
            rest.removeFirst()
        }
        guard !rest.isEmpty else { return nil }
        var total = 0.0
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            guard let number = Double(digits) else { return nil }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { !($0.isASCII && ($0.isNumber || $0 == ".")) }
            guard let factor = factors[String(unit)] else { return nil }
            rest = rest.dropFirst(unit.count)
            total += number * factor
        }
        guard total < 9e15 else { return nil }
        return Int64(sign * total)
    }

    private static let factors: [String: Double] = [
        "ns": 1e-6, "us": 1e-3, "µs": 1e-3, "ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000,
    ]
}
