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
            let digits = rest.prefix(while: isOfNumber)
            guard let number = Double(digits) else { return nil }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { !isOfNumber($0) }
            guard let factor = factors[String(unit)] else { return nil }
            rest = rest.dropFirst(unit.count)
            total += number * factor
        }
        guard total < 9e15 else { return nil }
        return Int64(sign * total)
    }

    /// What Go says of a text that is no duration; `nil` when it is one.
    package static func problem(with text: String) -> String? {
        if milliseconds(text) != nil { return nil }
        var rest = text.drop { $0 == "-" || $0 == "+" }
        while let first = rest.first, isOfNumber(first) {
            rest = rest.drop(while: isOfNumber)
            let unit = rest.prefix { !isOfNumber($0) }
            if unit.isEmpty { return "time: missing unit in duration \"\(text)\"" }
            if factors[String(unit)] == nil { return "time: unknown unit \"\(unit)\" in duration \"\(text)\"" }
            rest = rest.dropFirst(unit.count)
        }
        return "time: invalid duration \"\(text)\""
    }

    private static func isOfNumber(_ character: Character) -> Bool {
        character.isASCII && (character.isNumber || character == ".")
    }

    private static let factors: [String: Double] = [
        "ns": 1e-6, "us": 1e-3, "µs": 1e-3, "ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000,
    ]
}
