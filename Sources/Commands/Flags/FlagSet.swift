/// Flags as Go reads them, which scripts written for etcd rely on: one dash or two, `-name value` or `-name=value`, a
/// boolean without a value is true and never takes the next word.
package struct FlagSet {
    package let flags: [Flag]
    package private(set) var values: [String: String] = [:]
    package private(set) var asksForHelp = false
    /// Variables that values were taken from.
    package private(set) var usedEnvironment: [String] = []

    package init(_ flags: [Flag]) {
        self.flags = flags
    }

    package func flag(named name: String) -> Flag? { flags.first { $0.name == name } }

    /// Reads the arguments, then the environment for what they left open.
    package mutating func parse(arguments: [String], environment: [String: String]) throws(FlagError) {
        try parse(arguments: arguments)
        if !asksForHelp { try parse(environment: environment) }
    }

    package mutating func parse(arguments: [String]) throws(FlagError) {
        var rest = arguments[...]
        while let word = rest.popFirst() {
            guard word.hasPrefix("-"), word != "-" else { throw .positional(word) }
            if word == "--" {
                if let next = rest.first { throw .positional(next) }
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
            if parts.count == 2 {
                try set(flag, String(parts[1]))
            } else if case .bool = flag.kind {
                try set(flag, "true")
            } else if let next = rest.popFirst() {
                try set(flag, next)
            } else {
                throw .needsArgument(name)
            }
        }
    }

    /// For what the arguments have left open.
    package mutating func parse(environment: [String: String]) throws(FlagError) {
        for flag in flags {
            guard let value = environment[flag.environmentName] else { continue }
            if values[flag.name] != nil { throw .shadowed(environment: flag.environmentName) }
            // A variable without a value is none (etcd's rule).
            if value.isEmpty { continue }
            if let problem = flag.kind.problem(with: value) {
                throw .invalidEnvironment(name: flag.environmentName, value: value, problem: problem)
            }
            values[flag.name] = value
            usedEnvironment.append(flag.environmentName)
        }
    }

    private mutating func set(_ flag: Flag, _ value: String) throws(FlagError) {
        if let problem = flag.kind.problem(with: value) {
            if case .bool = flag.kind { throw .invalidBool(flag: flag.name, value: value) }
            throw .invalidValue(flag: flag.name, value: value, problem: problem)
        }
        values[flag.name] = value
    }

    /// Forgets what the command line and the environment said and takes these values, which fit, instead.
    mutating func replaceValues(_ new: [String: String]) {
        values = new
        usedEnvironment = []
    }

    /// Flags that were given another value than they have by themselves, and change nothing.
    package var idleFlags: [Flag] {
        flags.filter { flag in
            flag.idleBecause != nil && values[flag.name].map { $0 != (flag.fallback ?? "") } ?? false
        }
    }

    /// The flags as a help page lists them: by section, and at the end those that change nothing, by their reasons.
    package var listing: String {
        var text = ""
        let active = flags.filter { $0.idleBecause == nil }
        for section in Self.inOrder(active.map(\.section)) {
            text += "\(section):\n"
            for flag in active where flag.section == section {
                text += Self.title(of: flag) + "      \(flag.help)\n"
            }
        }
        let reasons = Self.inOrder(flags.compactMap(\.idleBecause))
        if !reasons.isEmpty { text += "Taken without effect, with a warning that says why:\n" }
        for reason in reasons {
            for flag in flags where flag.idleBecause == reason { text += Self.title(of: flag) }
            text += "      \(reason)\n"
        }
        return text
    }

    private static func title(of flag: Flag) -> String { "  --\(flag.name) '\(flag.fallback ?? "")'\n" }

    /// Each once, where it is first.
    private static func inOrder(_ texts: [String]) -> [String] {
        var seen: Set<String> = []
        return texts.filter { seen.insert($0).inserted }
    }

    /// The value given, or the default.
    package func string(_ name: String) -> String {
        values[name] ?? flag(named: name)?.fallback ?? ""
    }

    package func isSet(_ name: String) -> Bool { values[name] != nil }

    package func bool(_ name: String) -> Bool { Flag.Kind.bool(string(name)) ?? false }

    package func integer(_ name: String) -> Int64 { Int64(string(name)) ?? 0 }

    package func milliseconds(_ name: String) -> Int64 { GoDuration.milliseconds(string(name)) ?? 0 }

    package func list(_ name: String) -> [String] {
        string(name).split(separator: ",").map(String.init)
    }

    package func endpoints(_ name: String) -> [Endpoint] { list(name).compactMap { Endpoint($0) } }

    /// What the flag says of each gate that it names.
    package func gates(_ name: String) -> [String: Bool] {
        var gates: [String: Bool] = [:]
        for item in list(name) {
            let parts = item.split(separator: "=", maxSplits: 1)
            if parts.count == 2 { gates[Flag.Kind.trimmed(parts[0])] = Flag.Kind.bool(Flag.Kind.trimmed(parts[1])) }
        }
        return gates
    }
}
