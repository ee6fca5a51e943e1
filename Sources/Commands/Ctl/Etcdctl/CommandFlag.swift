/// A flag of etcdctl's, as its users type it.
package struct CommandFlag: Sendable {
    package enum Kind: Sendable {
        case text
        case flag
        case integer
        case duration
        /// Of texts, comma-separated. Given again it adds to what was given before.
        case list
    }

    var name: String
    var short: Character?
    var kind: Kind
    var fallback: String
    var help: String
    /// The words that a shell offers as its value; empty where it has nothing to offer.
    var choices: [String]

    package init(
        _ name: String, short: Character? = nil, _ kind: Kind, _ fallback: String, _ help: String,
        choices: [String] = []
    ) {
        self.name = name
        self.short = short
        self.kind = kind
        self.fallback = fallback
        self.help = help
        self.choices = choices
    }

    /// As help lists them.
    static func listing(_ flags: [CommandFlag]) -> String {
        flags.map { flag in
            "  \(flag.short.map { "-\($0), " } ?? "    ")--\(flag.name)=\(flag.fallback)\n          \(flag.help)"
        }.joined(separator: "\n")
    }

    /// etcdctl's variable for it.
    var variable: String { "ETCDCTL_" + name.uppercased().map { $0 == "-" ? "_" : String($0) }.joined() }
}
