/// Commands, and what they are expected to say together.
public struct Directive: Equatable, Sendable {
    /// Of the first command, counted from 1.
    public var line: Int
    public var commands: [Command]
    /// Whole lines.
    public var expected: String
    /// The commands as they stand in the file, with comments between them.
    let source: [String]

    var text: String {
        var text = source.map { $0 + "\n" }.joined()
        let needsQuotes = expected.hasPrefix("\n") || expected.contains("\n\n") || expected.contains("----\n")
        text += needsQuotes ? "----\n----\n\(expected)----\n----\n" : "----\n\(expected)"
        return text
    }
}

/// One line: a name, and words. A word `key=value` is a named argument.
public struct Command: Equatable, Sendable, CustomStringConvertible {
    public var line: Int
    public var text: String
    public var name: String
    /// Words after the name that are no named arguments.
    public var words: [String]
    public var arguments: [String: String]

    public init(_ text: String, line: Int = 0) {
        self.text = text
        self.line = line
        var pieces = text.split(separator: " ").map(String.init)
        name = pieces.isEmpty ? "" : pieces.removeFirst()
        words = []
        arguments = [:]
        for piece in pieces {
            if let mark = piece.firstIndex(of: "="), mark != piece.startIndex {
                arguments[String(piece[..<mark])] = String(piece[piece.index(after: mark)...])
            } else {
                words.append(piece)
            }
        }
    }

    public var description: String { text }
}

/// Reads directives from lines.
struct Reader {
    let lines: [String]
    var position = 0

    private static let mark = "----"

    var peek: String? { position < lines.count ? lines[position] : nil }

    mutating func directive() throws(ScenarioError) -> Directive {
        let start = position + 1
        var commands: [Command] = []
        while let line = peek, line != Self.mark {
            guard !line.isEmpty else { throw .malformed(line: start, "no ---- after the commands") }
            if !line.hasPrefix("#") { commands.append(Command(line, line: position + 1)) }
            position += 1
        }
        guard peek != nil else { throw .malformed(line: start, "no ---- after the commands") }
        let source = Array(lines[(start - 1)..<position])
        position += 1
        let expected = peek == Self.mark ? try quoted(from: start) : plain()
        return Directive(line: start, commands: commands, expected: expected, source: source)
    }

    private mutating func plain() -> String {
        var output = ""
        while let line = peek, !line.isEmpty {
            output += line + "\n"
            position += 1
        }
        return output
    }

    private mutating func quoted(from start: Int) throws(ScenarioError) -> String {
        position += 1
        var output = ""
        while let line = peek {
            position += 1
            if line == Self.mark, peek == Self.mark {
                position += 1
                return output
            }
            output += line + "\n"
        }
        throw .malformed(line: start, "the quoted output does not end")
    }
}
