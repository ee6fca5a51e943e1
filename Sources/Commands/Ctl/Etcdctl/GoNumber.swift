/// Numbers as Go's strconv reads them, with its complaints.
enum GoNumber {
    static func int64(_ text: String, radix: Int) throws(CommandFailure) -> Int64 {
        if let number = Int64(text, radix: radix) { return number }
        throw .arguments(complaint("ParseInt", text, isSyntax: !isNumber(text, radix: radix)))
    }

    static func uint64(_ text: String, radix: Int) throws(CommandFailure) -> UInt64 {
        if !text.hasPrefix("+"), !text.hasPrefix("-"), let number = UInt64(text, radix: radix) { return number }
        throw .arguments(
            complaint("ParseUint", text, isSyntax: text.hasPrefix("-") || !isNumber(text, radix: radix)))
    }

    static func problem(with text: String, radix: Int) -> String? {
        Int64(text, radix: radix) == nil
            ? complaint("ParseInt", text, isSyntax: !isNumber(text, radix: radix)) : nil
    }

    private static func complaint(_ function: String, _ text: String, isSyntax: Bool) -> String {
        "strconv.\(function): parsing \(GoText.quoted(text)): "
            + (isSyntax ? "invalid syntax" : "value out of range")
    }

    private static func isNumber(_ text: String, radix: Int) -> Bool {
        let digits = text.first == "-" || text.first == "+" ? text.dropFirst() : text[...]
        return !digits.isEmpty && digits.allSatisfy { $0.isASCII && ($0.hexDigitValue ?? 16) < radix }
    }
}
