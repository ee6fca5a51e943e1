/// Text for a terminal: nothing in it moves the cursor, and its width is known.
package enum ScreenText {
    /// As it is, or quoted where it has what does not print. Names and errors come from others, who may mean harm.
    package static func plain(_ text: String) -> String {
        let quoted = GoText.quoted(text)
        return quoted.dropFirst().dropLast() == text ? text : quoted
    }

    /// A key's first components; binary ones with escapes.
    package static func prefix(_ bytes: [UInt8]) -> String {
        bytes.isEmpty ? "(keys without a slash)" : GoText.quoted(bytes)
    }

    // MARK: - Width

    /// Columns that a terminal takes for it.
    package static func columns(of text: String) -> Int {
        text.unicodeScalars.reduce(0) { $0 + columns(of: $1) }
    }

    private static func columns(of scalar: Unicode.Scalar) -> Int {
        if scalar.value < 0x300 { return 1 }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark: return 0
        default: break
        }
        // East Asian wide and full width (Unicode's annex 11), and emoji.
        switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
            0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD:
            return 2
        default: return 1
        }
    }

    /// The beginning that fits, with a mark where something is left out.
    package static func fitted(_ text: String, to width: Int) -> String {
        guard columns(of: text) > width else { return text }
        guard width > 0 else { return "" }
        var fitted = String.UnicodeScalarView()
        var used = 0
        for scalar in text.unicodeScalars {
            used += columns(of: scalar)
            // One column is for the mark.
            guard used < width else { break }
            fitted.append(scalar)
        }
        return String(fitted) + "…"
    }

    // MARK: - Numbers

    /// A rate or a number of things, in at most six columns: 0, 3.5, 420, 12500, 125k, 1.3M.
    package static func amount(_ number: Double?) -> String {
        guard let number else { return "-" }
        if number == 0 { return "0" }
        if number < 0.05 { return "<0.1" }
        if number < 9.95 { return decimal(number) }
        if number < 99_999.5 { return GoText.decimal(number, places: 0) }
        var (scaled, unit) = (number / 1_000, 0)
        let units = ["k", "M", "G", "T", "P", "E"]
        while scaled >= 999.5, unit < units.count - 1 { (scaled, unit) = (scaled / 1_000, unit + 1) }
        return decimal(scaled) + units[unit]
    }

    /// Below ten with a decimal, which is left out when it is 0.
    private static func decimal(_ number: Double) -> String {
        guard number < 9.95 else { return GoText.decimal(number, places: 0) }
        let text = GoText.decimal(number, places: 1)
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    package static func bytes(_ number: Double?) -> String {
        number.map { GoText.size(Int64(min($0, 9e18))) } ?? "-"
    }

    package static func percent(_ share: Double?) -> String {
        share.map { GoText.decimal(min($0, 1e6) * 100, places: 0) + "%" } ?? "-"
    }

    /// 85µs, 1.2ms, 35ms, 2s.
    package static func seconds(_ seconds: Double) -> String {
        switch seconds {
        case ..<0.000_999_5: GoText.decimal(seconds * 1e6, places: 0) + "µs"
        case ..<0.999_5: decimal(seconds * 1e3) + "ms"
        default: decimal(seconds) + "s"
        }
    }

    /// Buckets tell no more than "less" at their lower end, and "more" at their upper.
    package static func quantile(_ quantile: BucketCounts.Quantile?) -> String {
        guard let quantile else { return "-" }
        if quantile.above == 0 { return "<" + seconds(quantile.atMost) }
        return quantile.atMost.isFinite ? seconds(quantile.estimate) : ">" + seconds(quantile.above)
    }

    /// The median and what 99 of 100 do not exceed.
    package static func times(_ counts: BucketCounts?) -> String {
        guard let counts, counts.total > 0 else { return "-" }
        return quantile(counts.quantile(0.5)) + "/" + quantile(counts.quantile(0.99))
    }
}
