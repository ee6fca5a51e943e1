internal import StrakeFlags

/// Words and flags in any order, as pflag reads them: `--name value`, `--name=value`, `-n value`, `-nvalue`; behind `--`
/// all are words.
package struct CommandArguments: Sendable {
    /// As they were typed, UTF-8 or not.
    package private(set) var rawWords: [[UInt8]] = []
    /// How many words stand before `--`; nil without one.
    package private(set) var wordsBeforeSeparator: Int?
    private(set) var asksForHelp = false
    private var values: [String: String] = [:]
    private let flags: [CommandFlag]

    var words: [String] { rawWords.map { String(decoding: $0, as: UTF8.self) } }

    package init(_ arguments: [[UInt8]], flags: [CommandFlag]) throws(CommandFailure) {
        self.flags = flags
        var rest = arguments[...]
        while let raw = rest.popFirst() {
            let word = String(decoding: raw, as: UTF8.self)
            if word == "--" {
                wordsBeforeSeparator = rawWords.count
                rawWords += rest
                return
            }
            if word.hasPrefix("--") {
                try takeLong(word, &rest)
            } else if word.hasPrefix("-"), word != "-" {
                try takeShort(word, &rest)
            } else {
                rawWords.append(raw)
            }
        }
    }

    private mutating func takeLong(_ word: String, _ rest: inout ArraySlice<[UInt8]>) throws(CommandFailure) {
        let parts = word.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts[0])
        if name == "help" {
            asksForHelp = true
            return
        }
        guard let flag = flags.first(where: { $0.name == name }) else {
            throw CommandFailure("unknown flag: --\(name)")
        }
        if parts.count == 2 {
            try set(flag, String(parts[1]), "--\(name)")
        } else if flag.kind == .flag {
            values[name] = "true"
        } else {
            guard let value = rest.popFirst() else { throw CommandFailure("flag needs an argument: --\(name)") }
            try set(flag, String(decoding: value, as: UTF8.self), "--\(name)")
        }
    }

    private mutating func takeShort(_ word: String, _ rest: inout ArraySlice<[UInt8]>) throws(CommandFailure) {
        var letters = word.dropFirst()
        while let letter = letters.popFirst() {
            if letter == "h" {
                asksForHelp = true
                return
            }
            guard let flag = flags.first(where: { $0.short == letter }) else {
                throw CommandFailure("unknown shorthand flag: '\(letter)' in \(word)")
            }
            let name = "-\(letter), --\(flag.name)"
            if flag.kind == .flag, letters.first != "=" {
                values[flag.name] = "true"
                continue
            }
            if letters.first == "=" {
                letters.removeFirst()
            } else if letters.isEmpty {
                guard let value = rest.popFirst() else {
                    throw CommandFailure("flag needs an argument: '\(letter)' in \(word)")
                }
                return try set(flag, String(decoding: value, as: UTF8.self), name)
            }
            return try set(flag, String(letters), name)
        }
    }

    private mutating func set(_ flag: CommandFlag, _ value: String, _ typed: String) throws(CommandFailure) {
        if let reason = Self.problem(with: value, as: flag.kind) {
            throw CommandFailure("invalid argument \(GoText.quoted(value)) for \"\(typed)\" flag: \(reason)")
        }
        let others = flag.kind == .list ? values[flag.name] : nil
        values[flag.name] = others.map { "\($0),\(value)" } ?? value
    }

    /// In Go's words.
    private static func problem(with value: String, as kind: CommandFlag.Kind) -> String? {
        switch kind {
        case .text, .list: nil
        case .flag:
            bool(value) == nil ? "strconv.ParseBool: parsing \(GoText.quoted(value)): invalid syntax" : nil
        case .integer: GoNumber.problem(with: value, radix: 10)
        case .duration:
            GoDuration.milliseconds(value) == nil ? "time: invalid duration \(GoText.quoted(value))" : nil
        }
    }

    private static func bool(_ text: String) -> Bool? {
        switch text {
        case "1", "t", "T", "true", "TRUE", "True": true
        case "0", "f", "F", "false", "FALSE", "False": false
        default: nil
        }
    }

    /// Takes ETCDCTL_ variables for what was not typed, of the flags that all commands have: etcdctl's own have none.
    ///
    /// - Parameter variable: Nil for one that is not set.
    package mutating func fill(
        _ flags: [CommandFlag], from variable: (String) -> String?
    ) throws(CommandFailure) {
        for flag in flags where values[flag.name] == nil {
            guard let value = variable(flag.variable), !value.isEmpty else { continue }
            if let reason = Self.problem(with: value, as: flag.kind) {
                throw .arguments("invalid value \(GoText.quoted(value)) for \(flag.variable): \(reason)")
            }
            values[flag.name] = value
        }
    }

    /// Puts what was found out in the place of a flag's value.
    mutating func replace(_ name: String, with value: String) { values[name] = value }

    mutating func dropWords(_ count: Int) {
        rawWords.removeFirst(count)
        wordsBeforeSeparator = wordsBeforeSeparator.map { max(0, $0 - count) }
    }

    package func text(_ name: String) -> String {
        guard let flag = flags.first(where: { $0.name == name }) else {
            preconditionFailure("the command has no flag --\(name)")
        }
        return values[name] ?? flag.fallback
    }

    func isSet(_ name: String) -> Bool { values[name] != nil }
    package func flag(_ name: String) -> Bool { Self.bool(text(name)) ?? false }
    package func integer(_ name: String) -> Int64 { Int64(text(name)) ?? 0 }
    func duration(_ name: String) -> Duration { .milliseconds(GoDuration.milliseconds(text(name)) ?? 0) }
    func list(_ name: String) -> [String] { text(name).split(separator: ",").map(String.init) }
}
