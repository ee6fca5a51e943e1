/// Commands that share their first word, as `user add` and `user list` do. The word alone asks for their help, with which
/// etcdctl ends well.
struct CommandGroup {
    static let summaries = [
        "alarm": "Alarm related commands",
        "auth": "Enables or disables authentication, and tells whether it is",
        "check": "Checks of what a cluster can take",
        "completion": "Scripts that have a shell complete what is typed",
        "downgrade": "Downgrade related commands",
        "endpoint": "Endpoint related commands",
        "lease": "Lease related commands",
        "member": "Membership related commands",
        "role": "Role related commands",
        "snapshot": "Snapshots of a member, and members from snapshots",
        "user": "User related commands",
    ]

    private let word: String
    private let summary: String
    /// What stands on the command line beside the word.
    private let arguments: [[UInt8]]

    /// Nil when the command line names more than a group, or none.
    init?(_ words: [String]) {
        let places = EtcdctlCommand.commandPlaces(words)
        let names = CommandTable.spelledOut(places.map { words[$0] })
        guard names.count == 1, let summary = Self.summaries[names[0]] else { return nil }
        word = names[0]
        self.summary = summary
        arguments = words.indices.filter { $0 != places[0] }.map { Array(words[$0].utf8) }
    }

    /// Returns the process's exit code.
    func run() -> Int32 {
        do throws(CommandFailure) {
            _ = try CommandArguments(arguments, flags: EtcdctlCommand.commonFlags)
        } catch {
            CommandOutput.complaint("Error: \(error.message ?? "")")
            return error.exitCode
        }
        CommandOutput.line(
            """
            \(summary)

            Usage:

              strake ctl \(word) COMMAND [options]

            Commands:

            \(EtcdctlCommand.listing(of: word).joined(separator: "\n"))

            'strake ctl \(word) COMMAND --help' lists a command's flags.
            """)
        return 0
    }
}
