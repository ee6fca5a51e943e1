internal import StrakeClient

/// What --debug has a command say on the standard error: the options that it goes by, as etcdctl does, and what its clients
/// do. Passwords are never in it.
struct DebugOutput: Sendable {
    private static let hidden = "***"

    private let start = ContinuousClock.now

    /// Nil where it is not asked for.
    init?(_ arguments: CommandArguments) {
        guard arguments.flag("debug") else { return nil }
    }

    /// A line for each option that all commands have.
    private static func options(_ arguments: CommandArguments) -> [String] {
        EtcdctlCommand.commonFlags.sorted { $0.name < $1.name }
            .map { "\($0.variable)=\(shown($0, arguments))" }
    }

    func showOptions(_ arguments: CommandArguments) {
        for line in Self.options(arguments) { CommandOutput.complaint(line) }
    }

    func show(_ event: ClientEvent) {
        let time = GoText.duration(nanoseconds: start.duration(to: .now).nanoseconds / 1_000 * 1_000)
        CommandOutput.complaint("DEBUG: \(time) \(event)")
    }

    private static func shown(_ flag: CommandFlag, _ arguments: CommandArguments) -> String {
        let text = arguments.text(flag.name)
        switch (flag.name, flag.kind) {
        case (_, .list): return "[\(arguments.list(flag.name).joined(separator: " "))]"
        case ("password", _): return text.isEmpty ? "" : hidden
        case ("user", _): return text.firstIndex(of: ":").map { "\(text[...$0])\(hidden)" } ?? text
        case (_, .flag): return "\(arguments.flag(flag.name))"
        case (_, .duration): return GoText.duration(nanoseconds: arguments.duration(flag.name).nanoseconds)
        case (_, .text), (_, .integer): return text
        }
    }
}

extension Duration {
    fileprivate var nanoseconds: Int64 {
        components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000
    }
}
