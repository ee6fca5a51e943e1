/// Reads a JSON object of numbers, booleans and texts, which is all that a log rotation's configuration is.
struct FlatJSON {
    enum Value: Equatable {
        case number(Int)
        case bool(Bool)
        case text(String)
        case null
    }

    private var rest: Substring

    init(_ text: String) {
        rest = Substring(text)
    }

    mutating func members() throws(LogRotationError) -> [(key: String, value: Value)] {
        var members: [(key: String, value: Value)] = []
        try expect("{")
        if !take("}") {
            repeat {
                guard case .text(let key) = try value() else { throw problem("a key is a text in quotes") }
                try expect(":")
                members.append((key, try value()))
            } while take(",")
            try expect("}")
        }
        skipBlanks()
        if !rest.isEmpty { throw problem("more text behind the object") }
        return members
    }

    private func problem(_ reason: String) -> LogRotationError {
        LogRotationError("improperly formatted log rotation config: \(reason), at \"\(rest.prefix(16))\"")
    }

    private mutating func value() throws(LogRotationError) -> Value {
        if take("\"") {
            let text = rest.prefix { $0 != "\"" && $0 != "\\" }
            rest = rest.dropFirst(text.count)
            guard take("\"") else { throw problem("a text without its closing quote") }
            return .text(String(text))
        }
        let word = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
        rest = rest.dropFirst(word.count)
        switch word {
        case "true": return .bool(true)
        case "false": return .bool(false)
        case "null": return .null
        default:
            guard let number = Int(word) else {
                rest = word + rest
                throw problem("neither a whole number nor true, false or a text")
            }
            return .number(number)
        }
    }

    private mutating func skipBlanks() {
        rest = rest.drop { $0.isWhitespace }
    }

    private mutating func take(_ character: Character) -> Bool {
        skipBlanks()
        guard rest.first == character else { return false }
        rest.removeFirst()
        skipBlanks()
        return true
    }

    private mutating func expect(_ character: Character) throws(LogRotationError) {
        if !take(character) { throw problem("\(character) is missing") }
    }
}
