/// One flag of a command: where its value may come from and what it means.
package struct Flag {
    package enum Kind {
        case string
        case bool
        case unsigned
        case integer
        /// Go's notation: `1h30m`, `10s`, `100ms`.
        case duration
        case urls
        /// Servers, comma-separated.
        case endpoints
        /// One of the words.
        case choice([String])
    }

    package var name: String
    package var kind: Kind
    /// Shown in the help text; `nil` when there is none to show.
    package var fallback: String?
    package var help: String
    package var section: String

    package init(name: String, kind: Kind, fallback: String?, help: String, section: String) {
        self.name = name
        self.kind = kind
        self.fallback = fallback
        self.help = help
        self.section = section
    }

    /// etcd's rule: upper case, underscores, `ETCD_` in front.
    package var environmentName: String {
        "ETCD_" + name.uppercased().map { $0 == "-" ? "_" : String($0) }.joined()
    }
}

/// What is wrong with a command line, in the words that etcd's users know.
package enum FlagError: Error, Equatable {
    case notDefined(String)
    case needsArgument(String)
    case invalidBool(flag: String, value: String)
    case invalidValue(flag: String, value: String, reason: String)
    case invalidEnvironment(name: String, value: String, reason: String)
    case positional(String)
    /// Set in both places: which one is meant cannot be told.
    case shadowed(environment: String)

    /// A line for the terminal.
    package var message: String {
        switch self {
        case .notDefined(let name): "flag provided but not defined: -\(name)"
        case .needsArgument(let name): "flag needs an argument: -\(name)"
        case .invalidBool(let flag, let value): "invalid boolean value \"\(value)\" for -\(flag): parse error"
        case .invalidValue(let flag, let value, let reason): "invalid value \"\(value)\" for flag -\(flag): \(reason)"
        case .invalidEnvironment(let name, let value, let reason): "invalid value \"\(value)\" for \(name): \(reason)"
        case .positional(let word): "\"\(word)\" is not a valid flag"
        case .shadowed(let name):
            "conflicting environment variable is shadowed by corresponding command-line flag "
                + "(either unset environment variable or disable flag): \(name)"
        }
    }

    /// What etcd exits with: Go's flag package with 2 when it cannot read the command line, etcd itself with 1 for what it
    /// finds out later.
    package var etcdExitCode: Int32 {
        switch self {
        case .notDefined, .needsArgument, .invalidBool, .invalidValue: 2
        case .invalidEnvironment, .positional, .shadowed: 1
        }
    }
}

/// Flags as Go reads them, which scripts written for etcd rely on: one dash or two, `-name value` or `-name=value`, a
/// boolean without a value is true and never takes the next word.
package struct FlagSet {
    package let flags: [Flag]
    package private(set) var values: [String: String] = [:]
    package private(set) var asksForHelp = false
    /// What stands between the flags; refused where a command takes no words.
    package private(set) var words: [String] = []
    private let takesWords: Bool

    package init(_ flags: [Flag], takesWords: Bool = false) {
        self.flags = flags
        self.takesWords = takesWords
    }

    package func flag(named name: String) -> Flag? { flags.first { $0.name == name } }

    /// Reads the arguments, then the environment for what they left open.
    package mutating func parse(arguments: [String], environment: [String: String]) throws(FlagError) {
        var rest = arguments[...]
        while let word = rest.popFirst() {
            guard word.hasPrefix("-"), word != "-" else {
                if !takesWords { throw .positional(word) }
                words.append(word)
                continue
            }
            if word == "--" {
                if !takesWords, let next = rest.first { throw .positional(next) }
                words += rest
                break
            }
            let bare = word.drop { $0 == "-" }
            let parts = bare.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = parts.first.map(String.init) ?? ""
            if name == "h" || name == "help" {
                asksForHelp = true
                return
            }
            guard let flag = flag(named: name) else { throw .notDefined(name) }
            let value: String
            if parts.count == 2 {
                value = String(parts[1])
            } else if case .bool = flag.kind {
                value = "true"
            } else if let next = rest.popFirst() {
                value = next
            } else {
                throw .needsArgument(name)
            }
            if let reason = Self.problem(with: value, as: flag.kind) {
                if case .bool = flag.kind { throw .invalidBool(flag: name, value: value) }
                throw .invalidValue(flag: name, value: value, reason: reason)
            }
            values[name] = value
        }
        for flag in flags {
            guard let value = environment[flag.environmentName] else { continue }
            if values[flag.name] != nil { throw .shadowed(environment: flag.environmentName) }
            // A variable without a value is none (etcd's rule).
            if value.isEmpty { continue }
            if let reason = Self.problem(with: value, as: flag.kind) {
                throw .invalidEnvironment(name: flag.environmentName, value: value, reason: reason)
            }
            values[flag.name] = value
        }
    }

    /// The flags as a help page lists them, by section.
    package var listing: String {
        var text = ""
        var section = ""
        for flag in flags {
            if flag.section != section {
                section = flag.section
                text += "\(section):\n"
            }
            text += "  --\(flag.name) '\(flag.fallback ?? "")'\n      \(flag.help)\n"
        }
        return text
    }

    /// The value given, or the default.
    package func string(_ name: String) -> String {
        values[name] ?? flag(named: name)?.fallback ?? ""
    }

    package func isSet(_ name: String) -> Bool { values[name] != nil }

    package func bool(_ name: String) -> Bool { Self.bool(string(name)) ?? false }

    package func integer(_ name: String) -> Int64 { Int64(string(name)) ?? 0 }

    package func milliseconds(_ name: String) -> Int64 { GoDuration.milliseconds(string(name)) ?? 0 }

    package func list(_ name: String) -> [String] {
        string(name).split(separator: ",").map(String.init)
    }

    package func endpoints(_ name: String) -> [Endpoint] { list(name).compactMap { Endpoint($0) } }

    private static func bool(_ text: String) -> Bool? {
        switch text {
        case "1", "t", "T", "true", "TRUE", "True": true
        case "0", "f", "F", "false", "FALSE", "False": false
        default: nil
        }
    }

    /// Empty ones too, which fit nowhere.
    private static func parts(of list: String) -> [String] {
        list.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }

    /// Why a value does not fit; `nil` when it does.
    private static func problem(with value: String, as kind: Flag.Kind) -> String? {
        switch kind {
        case .string: nil
        case .bool: bool(value) == nil ? "parse error" : nil
        case .unsigned: UInt64(value) == nil || Int64(value) == nil ? "not a whole number of at least 0" : nil
        case .integer: Int64(value) == nil ? "not a whole number" : nil
        case .duration: GoDuration.milliseconds(value) == nil ? "not a duration such as 500ms, 10s or 1h30m" : nil
        case .choice(let words): words.contains(value) ? nil : "not one of \(words.joined(separator: ", "))"
        case .urls: parts(of: value).compactMap { ListenURL.problem(with: $0) }.first
        case .endpoints: parts(of: value).first { Endpoint($0) == nil }.map { "\"\($0)\" is not host:port" }
        }
    }
}
