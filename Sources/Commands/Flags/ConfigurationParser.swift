/// Reads a configuration file line by line.
struct ConfigurationParser {
    /// Maps within maps. etcd's files have one such level.
    private static let depthMax = 4

    private struct Line {
        var number: Int
        var indent: Int
        /// Without indentation and blanks at the end; never empty or a comment.
        var text: Substring
    }

    private var lines: [Line] = []
    private var position = 0
    private var found: [ConfigurationFile.Entry] = []

    init(_ text: String) {
        // "\r\n" is one character.
        for (index, raw) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let text = raw.drop { $0 == " " }
            let end = text.lastIndex { $0 != " " && $0 != "\t" }
            guard let end, text.first != "#" else { continue }
            lines.append(Line(number: index + 1, indent: raw.count - text.count, text: text[...end]))
        }
    }

    mutating func entries() throws(ConfigurationError) -> [ConfigurationFile.Entry] {
        if current?.text == "---" { position += 1 }
        if let first = current { try readMap(indent: first.indent, in: []) }
        if let rest = current, rest.text != "..." {
            throw refusal(rest, "", "is indented less than the keys before it")
        }
        return found
    }

    private var current: Line? { position < lines.count ? lines[position] : nil }

    private func refusal(_ line: Line, _ key: String, _ reason: String) -> ConfigurationError {
        ConfigurationError(line: line.number, key: key, reason: reason)
    }

    // MARK: Maps

    private mutating func readMap(indent: Int, in path: [String]) throws(ConfigurationError) {
        guard path.count < Self.depthMax else {
            throw refusal(lines[position], path.joined(separator: "."), "maps stand too deep in each other")
        }
        var keys: Set<String> = []
        while let line = current, line.indent >= indent, line.text != "..." {
            let (key, rest) = try readKey(of: line)
            let name = (path + [key]).joined(separator: ".")
            if line.indent > indent { throw refusal(line, name, "is indented more than the keys before it") }
            guard keys.insert(key).inserted else { throw refusal(line, name, "is there twice") }
            position += 1
            try readValue(rest, of: line, path + [key])
        }
    }

    private func readKey(of line: Line) throws(ConfigurationError) -> (key: String, rest: Substring) {
        let text = line.text
        if text.first == "\t" { throw refusal(line, "", "indentation is of blanks, not of tabs") }
        if Self.isItem(text) { throw refusal(line, "", "a list item where a key must be") }
        var scanner = ScalarScanner(text)
        guard let key = try? scanner.scanKey() else {
            throw refusal(line, "", "not of the form key: value")
        }
        return (key, scanner.rest)
    }

    private mutating func readValue(
        _ rest: Substring, of line: Line, _ path: [String]
    ) throws(ConfigurationError) {
        let key = path.joined(separator: ".")
        if !rest.isEmpty, rest.first != "#" {
            let value =
                try rest.first == "[" ? readFlowList(rest, of: line, key) : readScalar(rest, of: line, key)
            return note(value, path, line)
        }
        guard let next = current else { return note(.null, path, line) }
        if Self.isItem(next.text), next.indent >= line.indent {
            note(try readList(indent: next.indent, key), path, line)
        } else if next.indent > line.indent {
            try readMap(indent: next.indent, in: path)
        } else {
            note(.null, path, line)
        }
    }

    private mutating func note(_ value: ConfigurationFile.Value, _ path: [String], _ line: Line) {
        found.append(ConfigurationFile.Entry(path: path, value: value, line: line.number))
    }

    // MARK: Scalars and lists

    private func readScalar(
        _ text: Substring, of line: Line, _ key: String
    ) throws(ConfigurationError) -> ConfigurationFile.Value {
        var scanner = ScalarScanner(text)
        do throws(ScalarScanner.Problem) {
            let value = try scanner.scanScalar()
            return value.map(ConfigurationFile.Value.scalar) ?? .null
        } catch {
            throw refusal(line, key, error.reason)
        }
    }

    private static func isItem(_ text: Substring) -> Bool { text == "-" || text.hasPrefix("- ") }

    private mutating func readList(indent: Int, _ key: String) throws(ConfigurationError) -> ConfigurationFile.Value {
        var items: [String] = []
        while let line = current, line.indent == indent, Self.isItem(line.text) {
            position += 1
            let rest = line.text.dropFirst().drop { $0 == " " }
            guard case .scalar(let item) = try readScalar(rest, of: line, key) else {
                throw refusal(line, key, "an empty list item")
            }
            items.append(item)
        }
        return .list(items)
    }

    /// `[a, b]`, over as many lines as it takes.
    private mutating func readFlowList(
        _ text: Substring, of line: Line, _ key: String
    ) throws(ConfigurationError) -> ConfigurationFile.Value {
        var scanner = ScalarScanner(text.dropFirst())
        var items: [String] = []
        var line = line
        do throws(ScalarScanner.Problem) {
            while true {
                while scanner.isAtEnd {
                    guard let next = current else { throw ScalarScanner.Problem("the list has no ]") }
                    position += 1
                    line = next
                    scanner = ScalarScanner(next.text)
                }
                if scanner.take("]") { break }
                items.append(try scanner.scanFlowItem())
            }
            try scanner.scanEnd()
        } catch {
            throw refusal(line, key, error.reason)
        }
        return .list(items)
    }
}
