internal import StrakeClient
internal import StrakeEtcdWire

/// `downgrade`, as etcdctl has it since 3.6: what a Strake cluster thinks of it.
enum DowngradeCommands {
    static func validate(_ context: CommandContext) async throws(CommandFailure) {
        let version = try version(context)
        try await run(context, "validate") { client async throws(StrakeClientError) in
            try await client.validateDowngrade(to: version)
        }
    }

    static func enable(_ context: CommandContext) async throws(CommandFailure) {
        let version = try version(context)
        try await run(context, "enable") { client async throws(StrakeClientError) in
            try await client.enableDowngrade(to: version)
        }
    }

    /// What etcdctl does not look at counts for nothing here either.
    static func cancel(_ context: CommandContext) async throws(CommandFailure) {
        try await run(context, "cancel") { client async throws(StrakeClientError) in
            try await client.cancelDowngrade()
        }
    }

    private static func version(_ context: CommandContext) throws(CommandFailure) -> String {
        guard let version = context.words.first else { throw .arguments("TARGET_VERSION not provided") }
        guard context.words.count == 1 else { throw .arguments("too many arguments") }
        guard !version.isEmpty else { throw .arguments("target version not provided") }
        return version
    }

    private static func run(
        _ context: CommandContext, _ action: String,
        _ body: (StrakeClient) async throws(StrakeClientError) -> Answer<String>
    ) async throws(CommandFailure) {
        try context.printer.downgrade(action, try await context.ask(body))
    }
}

extension Printer {
    func downgrade(_ action: String, _ answer: Answer<String>) throws(CommandFailure) {
        try refuse(.table)
        switch format {
        case .simple, .table: CommandOutput.line("Downgrade \(action) success, cluster version \(answer.body)")
        case .fields:
            fields(answer.header)
            field("Version", GoText.quoted(answer.body))
        case .json: json(answer.header) { $0.addUnlessEmpty("version", answer.body) }
        case .protobuf: protobuf(answer.header, DowngradeResponse(version: answer.body))
        }
    }
}
