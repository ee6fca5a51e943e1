internal import StrakeClient

/// `txn`: conditions, what to do when they hold, and what to do else, each up to an empty line.
enum TxnCommand {
    static let flags = [
        CommandFlag("interactive", short: "i", .flag, "false", "Input transaction in interactive mode")
    ]

    static func run(_ context: CommandContext) async throws(CommandFailure) {
        guard context.words.isEmpty else { throw .arguments("txn command does not accept argument") }
        let prompts = context.arguments.flag("interactive")
        var lines = CommandOutput.Lines()
        var request = TxnRequest()
        if prompts { CommandOutput.line("compares:") }
        for line in try block(&lines) { request.compare.append(try TxnScript.compare(line)) }
        if prompts { CommandOutput.line("success requests (get, put, del):") }
        for line in try block(&lines) { request.success.append(try TxnScript.operation(line)) }
        if prompts { CommandOutput.line("failure requests (get, put, del):") }
        for line in try block(&lines) { request.failure.append(try TxnScript.operation(line)) }
        let answer = try await context.ask { [request] client async throws(StrakeClientError) in
            try await client.txn(request)
        }
        try context.printer.refuse(.table)
        context.printer.txn(answer)
    }

    private static func block(_ lines: inout CommandOutput.Lines) throws(CommandFailure) -> [String] {
        var block: [String] = []
        while true {
            guard let line = lines.next() else { throw CommandFailure("EOF", CommandFailure.invalidInput) }
            let text = line.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed()
            if text.isEmpty { return block }
            block.append(String(text))
        }
    }
}
