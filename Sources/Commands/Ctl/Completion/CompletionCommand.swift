/// `completion`: prints a script that has a shell complete commands, flags and their values.
enum CompletionCommand {
    static let flags = [
        CommandFlag("no-descriptions", .flag, "false", "offer words without what they mean; bash never shows it")
    ]

    /// - Parameter script: Of one shell.
    static func entry(
        _ shell: String, _ details: String, _ script: @escaping @Sendable (CompletionTable) -> String
    ) -> CommandEntry {
        CommandEntry(
            usage: "completion \(shell) [options]", help: "Prints the completion script for \(shell)", details: details,
            flags: flags, reach: .local,
            run: { context async throws(CommandFailure) in
                guard context.words.isEmpty else { throw .arguments("completion \(shell) takes no arguments") }
                let table = CompletionTable(context.program, hasHelp: !context.arguments.flag("no-descriptions"))
                CommandOutput.line(script(table))
            })
    }
}
