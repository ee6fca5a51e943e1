/// Takes keys and scalars from one line of a configuration file.
struct ScalarScanner {
    struct Problem: Error {
        var reason: String

        init(_ reason: String) {
            self.reason = reason
        }
    }

    private(set) var rest: Substring

    init(_ text: Substring) {
        rest = text
        skipBlanks()
    }

    /// Nothing is left but a comment.
    var isAtEnd: Bool { rest.isEmpty || rest.first == "#" }

    mutating func take(_ character: Character) -> Bool {
        guard rest.first == character else { return false }
        rest.removeFirst()
        skipBlanks()
        return true
    }

    /// A key with its colon.
    mutating func scanKey() throws(Problem) -> String {
        let key: String
        if let quoted = try scanQuoted() {
            key = quoted
            skipBlanks()
        } else {
            // A colon ends a key only before a blank: keys and URLs have others.
            var end = rest.startIndex
            while end < rest.endIndex, !(rest[end] == ":" && isBlank(after: end)) { end = rest.index(after: end) }
            key = Flag.Kind.trimmed(rest[..<end])
            rest = rest[end...]
        }
        guard !key.isEmpty, rest.first == ":", isBlank(after: rest.startIndex) else {
            throw Problem("not of the form key: value")
        }
        rest.removeFirst()
        skipBlanks()
        return key
    }

    /// The one scalar of the line; `nil` where it says that there is none.
    mutating func scanScalar() throws(Problem) -> String? {
        if let quoted = try scanQuoted() {
            try scanEnd()
            return quoted
        }
        try refuseIndicators()
        let text = scanPlain { _ in false }
        if text.contains(": ") || text.hasSuffix(":") { throw Problem("a second key in the line; quote the value") }
        return Self.isNull(text) ? nil : text
    }

    /// An item of a list in brackets, with the comma after it.
    mutating func scanFlowItem() throws(Problem) -> String {
        let item: String
        if let quoted = try scanQuoted() {
            item = quoted
            skipBlanks()
        } else {
            if rest.first == "[" { throw Problem("a list within a list") }
            try refuseIndicators()
            item = scanPlain { $0 == "," || $0 == "]" }
            if Self.isNull(item) { throw Problem("an empty list item") }
        }
        if !take(","), !isAtEnd, rest.first != "]" { throw Problem("items of a list are parted by commas") }
        return item
    }

    func scanEnd() throws(Problem) {
        var after = self
        after.skipBlanks()
        if !after.isAtEnd { throw Problem("more text behind the value: \(after.rest)") }
    }

    private static func isNull(_ text: String) -> Bool { ["", "~", "null", "Null", "NULL"].contains(text) }

    private func isBlank(after index: Substring.Index) -> Bool {
        let next = rest.index(after: index)
        return next == rest.endIndex || rest[next] == " " || rest[next] == "\t"
    }

    private mutating func skipBlanks() {
        rest = rest.drop { $0 == " " || $0 == "\t" }
    }

    /// Up to a comment, or a character that ends it.
    private mutating func scanPlain(until ends: (Character) -> Bool) -> String {
        var end = rest.startIndex
        var previous: Character = " "
        while end < rest.endIndex, !ends(rest[end]), !(rest[end] == "#" && previous == " ") {
            previous = rest[end]
            end = rest.index(after: end)
        }
        let text = Flag.Kind.trimmed(rest[..<end])
        rest = rest[end...]
        return text
    }

    /// What begins a kind of value that is not read here.
    private func refuseIndicators() throws(Problem) {
        switch rest.first {
        case "{": throw Problem("a map in braces; write its keys on lines of their own")
        case "|", ">": throw Problem("a text of several lines; quote it in one line")
        case "&", "*": throw Problem("anchors and aliases are not read here")
        case "!": throw Problem("tags are not read here")
        case "@", "`", "%": throw Problem("the value must be quoted")
        default: break
        }
    }

    // MARK: Quotes

    private mutating func scanQuoted() throws(Problem) -> String? {
        switch rest.first {
        case "'": try scanSingleQuoted()
        case "\"": try scanDoubleQuoted()
        default: nil
        }
    }

    private mutating func scanSingleQuoted() throws(Problem) -> String {
        rest.removeFirst()
        var text = ""
        while let character = rest.popFirst() {
            if character != "'" {
                text.append(character)
            } else if rest.first == "'" {
                text.append(character)
                rest.removeFirst()
            } else {
                return text
            }
        }
        throw Problem("the quote is not closed in its line")
    }

    private mutating func scanDoubleQuoted() throws(Problem) -> String {
        rest.removeFirst()
        var text = ""
        while let character = rest.popFirst() {
            if character == "\"" { return text }
            text.append(character == "\\" ? try scanEscape() : character)
        }
        throw Problem("the quote is not closed in its line")
    }

    private mutating func scanEscape() throws(Problem) -> Character {
        switch rest.popFirst() {
        case "\"": return "\""
        case "\\": return "\\"
        case "/": return "/"
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "x": return try scanCode(digits: 2)
        case "u": return try scanCode(digits: 4)
        case let other: throw Problem("unknown escape \\\(other.map { String($0) } ?? "")")
        }
    }

    private mutating func scanCode(digits: Int) throws(Problem) -> Character {
        let code = rest.prefix(digits)
        guard code.count == digits, let value = UInt32(code, radix: 16), let scalar = Unicode.Scalar(value) else {
            throw Problem("not a character's code: \(code)")
        }
        rest.removeFirst(digits)
        return Character(scalar)
    }
}
