internal import StrakeClient

/// get, put, del and compaction.
enum KVCommands {
    static func get(_ context: CommandContext) async throws(CommandFailure) {
        let request = try KVRequests.get(context.arguments)
        let answer = try await context.ask { client async throws(StrakeClientError) in try await client.range(request) }
        guard !request.countOnly || context.printer.format == .fields else {
            throw .arguments("--count-only is only for `--write-out=fields`")
        }
        var printer = context.printer
        printer.isValueOnly = context.arguments.flag("print-value-only")
        guard !printer.isValueOnly || printer.format == .simple else {
            throw .arguments("print-value-only is only for `--write-out=simple`")
        }
        try printer.refuse(.table)
        printer.get(answer)
    }

    static func put(_ context: CommandContext) async throws(CommandFailure) {
        let request = try KVRequests.put(context.arguments, input: CommandOutput.readInput)
        let answer = try await context.ask { client async throws(StrakeClientError) in try await client.put(request) }
        try context.printer.refuse(.table)
        context.printer.put(answer)
    }

    static func delete(_ context: CommandContext) async throws(CommandFailure) {
        let request = try KVRequests.delete(context.arguments)
        let answer = try await context.ask { client async throws(StrakeClientError) in
            try await client.delete(request)
        }
        try context.printer.refuse(.table)
        context.printer.delete(answer)
    }

    static let compactionFlags = [
        CommandFlag(
            "physical", .flag, "false", "'true' to wait for compaction to physically remove all old revisions")
    ]

    static func compact(_ context: CommandContext) async throws(CommandFailure) {
        guard context.words.count == 1 else { throw .arguments("compaction command needs 1 argument") }
        let revision: Int64
        do throws(CommandFailure) {
            revision = try GoNumber.int64(context.words[0], radix: 10)
        } catch {
            throw CommandFailure(error.message)
        }
        let isPhysical = context.arguments.flag("physical")
        _ = try await context.ask { client async throws(StrakeClientError) in
            try await client.compact(through: revision, isPhysical: isPhysical)
        }
        CommandOutput.line("compacted revision \(revision)")
    }
}
