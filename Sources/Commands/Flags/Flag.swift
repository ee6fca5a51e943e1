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
        /// The same, or nothing at all.
        case optionalURLs
        /// URLs of scheme, host and port, or `*`.
        case origins
        /// Servers, comma-separated.
        case endpoints
        /// One of the words.
        case choice([String])
        /// `Name=true,Name=false,...`, of these names.
        case gates([String])
    }

    package var name: String
    package var kind: Kind
    /// Shown in the help text; `nil` when there is none to show.
    package var fallback: String?
    package var help: String
    package var section: String
    /// The flag is taken for the sake of those who have it in their scripts, and changes nothing, because of this; `nil`
    /// when it has its effect.
    package var idleBecause: String?
    /// Its value must not be shown.
    package var isSecret: Bool

    package init(
        name: String, kind: Kind, fallback: String?, help: String, section: String, idleBecause: String? = nil,
        isSecret: Bool = false
    ) {
        self.name = name
        self.kind = kind
        self.fallback = fallback
        self.help = help
        self.section = section
        self.idleBecause = idleBecause
        self.isSecret = isSecret
    }

    /// etcd's rule: upper case, underscores, `ETCD_` in front.
    package var environmentName: String {
        "ETCD_" + name.uppercased().map { $0 == "-" ? "_" : String($0) }.joined()
    }
}
