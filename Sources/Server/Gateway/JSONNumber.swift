/// A number as JSON writes it, read as a whole one. `1e3`, `5.0` and `70e-1` are whole, `1.5` is not.
enum JSONNumber {
    /// More digits than any 64-bit number has.
    private static let digitsMax = 20

    /// - Parameter text: What JSON allows as a number.
    /// - Returns: `nil` when it is not whole, or does not fit.
    static func whole<Value: FixedWidthInteger>(_ text: [UInt8], as type: Value.Type) -> Value? {
        guard let digits = digits(text) else { return nil }
        return Value(digits)
    }

    /// A number in a string: nothing but the number may stand in it.
    static func isNumber(_ text: [UInt8]) -> Bool {
        var syntax = JSONSyntax()
        guard let first = text.first, first == UInt8(ascii: "-") || (0x30...0x39).contains(first) else { return false }
        do throws(GatewayError) {
            for byte in text {
                guard case .incomplete = try syntax.take(byte) else { return false }
            }
        } catch {
            return false
        }
        return syntax.endsWithInput
    }

    /// Sign and digits, the exponent carried out.
    private static func digits(_ text: [UInt8]) -> String? {
        var rest = text[...]
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative { rest.removeFirst() }
        let mantissa = rest.prefix { $0 != UInt8(ascii: "e") && $0 != UInt8(ascii: "E") }
        let parts = mantissa.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        var whole = Array(parts[0])
        if whole == [UInt8(ascii: "0")] { whole = [] }
        var fraction = parts.count == 2 ? Array(parts[1]) : []
        while fraction.last == UInt8(ascii: "0") { fraction.removeLast() }
        if whole.isEmpty, fraction.isEmpty { return "0" }
        var exponent = 0
        if mantissa.count < rest.count {
            var written = String(decoding: rest.dropFirst(mantissa.count + 1), as: UTF8.self)
            if written.hasPrefix("+") { written.removeFirst() }
            guard let value = Int32(written) else { return nil }
            exponent = Int(value)
        }
        if exponent >= 0 {
            guard fraction.count <= exponent, whole.count + exponent <= digitsMax else { return nil }
            whole += fraction + Array(repeating: UInt8(ascii: "0"), count: exponent - fraction.count)
        } else {
            let kept = whole.count + exponent
            guard fraction.isEmpty, kept > 0, whole[kept...].allSatisfy({ $0 == UInt8(ascii: "0") }) else { return nil }
            whole = Array(whole[..<kept])
        }
        return (isNegative ? "-" : "") + String(decoding: whole, as: UTF8.self)
    }
}
