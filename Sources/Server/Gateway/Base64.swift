/// Bytes as JSON has them.
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let padding = UInt8(ascii: "=")

    static func append(_ data: UnsafeRawBufferPointer, to text: inout [UInt8]) {
        let start = text.count
        // The array grows by a factor here, where `reserveCapacity` would copy it for each small value.
        text.append(contentsOf: repeatElement(padding, count: (data.count + 2) / 3 * 4))
        text.withUnsafeMutableBufferPointer { memory in
            alphabet.withUnsafeBufferPointer {
                encode(data, UnsafeMutableBufferPointer(rebasing: memory[start...]), $0)
            }
        }
    }

    /// - Parameter text: As long as needed, and all padding.
    private static func encode(
        _ data: UnsafeRawBufferPointer, _ text: UnsafeMutableBufferPointer<UInt8>,
        _ alphabet: UnsafeBufferPointer<UInt8>
    ) {
        var index = 0
        var end = 0
        while index + 2 < data.count {
            let bits = UInt32(data[index]) << 16 | UInt32(data[index + 1]) << 8 | UInt32(data[index + 2])
            text[end] = alphabet[Int(bits >> 18)]
            text[end + 1] = alphabet[Int(bits >> 12 & 63)]
            text[end + 2] = alphabet[Int(bits >> 6 & 63)]
            text[end + 3] = alphabet[Int(bits & 63)]
            index += 3
            end += 4
        }
        guard index < data.count else { return }
        let hasTwo = index + 1 < data.count
        let bits = UInt32(data[index]) << 16 | (hasTwo ? UInt32(data[index + 1]) << 8 : 0)
        text[end] = alphabet[Int(bits >> 18 & 63)]
        text[end + 1] = alphabet[Int(bits >> 12 & 63)]
        if hasTwo { text[end + 2] = alphabet[Int(bits >> 6 & 63)] }
    }

    /// Reads any of the four forms: the alphabet for URLs when one of its signs occurs, and without padding when the length
    /// is no multiple of four (protojson's rule). Line ends are passed over, as Go's decoder does.
    ///
    /// - Returns: `nil` for what is none of them.
    static func decode(_ text: [UInt8]) -> [UInt8]? {
        let isForURLs = text.contains { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
        let isPadded = text.count.isMultiple(of: 4)
        var data: [UInt8] = []
        data.reserveCapacity(text.count / 4 * 3 + 3)
        var bits: UInt32 = 0
        var digits = 0
        var pads = 0
        for character in text where character != UInt8(ascii: "\n") && character != UInt8(ascii: "\r") {
            if isPadded, character == padding, digits >= 2, digits + pads < 4 {
                pads += 1
                continue
            }
            guard pads == 0, let value = value(of: character, isForURLs) else { return nil }
            bits = bits << 6 | value
            digits += 1
            guard digits == 4 else { continue }
            data.append(UInt8(truncatingIfNeeded: bits >> 16))
            data.append(UInt8(truncatingIfNeeded: bits >> 8))
            data.append(UInt8(truncatingIfNeeded: bits))
            (bits, digits) = (0, 0)
        }
        if digits == 0 { return data }
        guard digits != 1, !isPadded || digits + pads == 4 else { return nil }
        data.append(UInt8(truncatingIfNeeded: bits >> (digits == 2 ? 4 : 10)))
        if digits == 3 { data.append(UInt8(truncatingIfNeeded: bits >> 2)) }
        return data
    }

    private static func value(of character: UInt8, _ isForURLs: Bool) -> UInt32? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character) - 65
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character) - 71
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character) + 4
        case UInt8(ascii: isForURLs ? "-" : "+"): 62
        case UInt8(ascii: isForURLs ? "_" : "/"): 63
        default: nil
        }
    }
}
