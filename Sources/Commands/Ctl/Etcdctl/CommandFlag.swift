/// A flag of etcdctl's, as its users type it.
package struct CommandFlag: Sendable {
    package enum Kind: Sendable {
        case text
        case flag
        case integer
        case duration
    }

    var name: String
    var short: Character?
    var kind: Kind
    var fallback: String
    var help: String

    package init(_ name: String, short: Character? = nil, _ kind: Kind, _ fallback: String, _ help: String) {
        self.name = name
        self.short = short
        self.kind = kind
        self.fallback = fallback
        self.help = help
    }
}
