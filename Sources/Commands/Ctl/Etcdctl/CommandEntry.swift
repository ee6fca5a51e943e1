/// One command: what it is called, given and told, and what it does.
struct CommandEntry: Sendable {
    /// Whether it speaks to servers.
    enum Reach: Sendable {
        case cluster
        /// It asks no server: flags about servers are taken and have nothing to do.
        case local
    }

    /// The words that name it, and what is given to it.
    var usage: String
    var help: String
    /// What its own help says beside that.
    var details = ""
    var flags: [CommandFlag] = []
    var reach = Reach.cluster
    var run: @Sendable (CommandContext) async throws(CommandFailure) -> Void

    var words: [String] {
        usage.split(separator: " ").prefix { $0.first?.isLetter ?? false }.map(String.init)
    }

    /// All that is said of it.
    var page: String {
        let details = details.isEmpty ? "" : "\n\(details)\n"
        let own = flags.isEmpty ? "" : "\nOptions:\n\n\(CommandFlag.listing(flags))\n"
        let reach = reach == .cluster ? "" : "\nIt asks no server, so that options about servers have nothing to do.\n"
        return """
            \(help)

            Usage:

              strake ctl \(usage)
            \(details)\(own)\(reach)
            Options of all commands, also as ETCDCTL_ENDPOINTS and so on:

            \(CommandFlag.listing(EtcdctlCommand.commonFlags))
            """
    }
}
