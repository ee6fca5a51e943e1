/// A conversation in a text file: directives, each with the output that is expected of it.
///
///     # A comment, and then a directive: lines of commands, the mark, the output, an empty line.
///     propose 1 x
///     deliver 1->3
///     ----
///     3: last=1/12 committed=11
///
/// Output that itself has empty lines stands between two pairs of marks (and must not end in a mark):
///
///     dump
///     ----
///     ----
///     first
///
///     second
///     ----
///     ----
///
/// The file is kept as a list of parts, so that rewriting changes nothing but outputs.
public struct Scenario: Equatable, Sendable {
    package enum Part: Equatable, Sendable {
        /// A comment or an empty line.
        case text(String)
        case directive(Directive)
    }

    package var parts: [Part]

    /// - Throws: `ScenarioError.malformed` with the line where the directive begins.
    public init(parsing text: String) throws(ScenarioError) {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        // The end of the last line is not a line.
        if lines.last == "" { lines.removeLast() }
        parts = []
        var reader = Reader(lines: lines)
        while let line = reader.peek {
            if line.isEmpty || line.hasPrefix("#") {
                parts.append(.text(line))
                reader.position += 1
            } else {
                parts.append(.directive(try reader.directive()))
            }
        }
    }

    public var directives: [Directive] {
        parts.compactMap { part in
            switch part {
            case .text: nil
            case .directive(let directive): directive
            }
        }
    }

    /// Runs the directives in order. Every command's output is joined, and compared by the caller.
    public mutating func replay(_ run: (Command) throws -> String) rethrows -> [Mismatch] {
        var mismatches: [Mismatch] = []
        for place in parts.indices {
            guard case .directive(var directive) = parts[place] else { continue }
            var output = ""
            for command in directive.commands {
                var answer = try run(command)
                if !answer.isEmpty, !answer.hasSuffix("\n") { answer += "\n" }
                output += answer
            }
            if output.isEmpty { output = "ok\n" }
            if output != directive.expected {
                mismatches.append(Mismatch(line: directive.line, expected: directive.expected, actual: output))
                directive.expected = output
                parts[place] = .directive(directive)
            }
        }
        return mismatches
    }

    /// The file's text, with the outputs as they are now.
    public var text: String {
        var text = ""
        for part in parts {
            switch part {
            case .text(let line): text += line + "\n"
            case .directive(let directive): text += directive.text
            }
        }
        return text
    }
}

public enum ScenarioError: Error, Equatable, Sendable {
    /// A directive has no mark, or a quoted output no end.
    case malformed(line: Int, String)
    case unreadable(path: String)
}

/// Where a directive's output was not the expected one.
public struct Mismatch: Equatable, Sendable, CustomStringConvertible {
    public var line: Int
    public var expected: String
    public var actual: String

    public init(line: Int, expected: String, actual: String) {
        self.line = line
        self.expected = expected
        self.actual = actual
    }

    public var description: String { "line \(line): expected\n\(expected)but got\n\(actual)" }
}
