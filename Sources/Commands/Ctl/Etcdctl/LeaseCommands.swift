internal import StrakeClient

enum LeaseCommands {
    static let keepAliveFlags = [
        CommandFlag(
            "once", .flag, "false", "Resets the keep-alive time to its original value and exits immediately")
    ]
    static let timeToLiveFlags = [CommandFlag("keys", .flag, "false", "Get keys attached to this lease")]

    private static func id(_ context: CommandContext) throws(CommandFailure) -> LeaseID {
        try LeaseArgument.id(context.words[0], "bad lease ID arg (", "), expecting ID in Hex")
    }

    static func grant(_ context: CommandContext) async throws(CommandFailure) {
        guard let text = context.words.first else { throw .arguments("lease grant command needs TTL argument") }
        let seconds: Int64
        do throws(CommandFailure) {
            seconds = try GoNumber.int64(text, radix: 10)
        } catch {
            throw .arguments("bad TTL (\(error.message ?? ""))")
        }
        let answer = try await context.ask(prefix: "failed to grant lease (", suffix: ")") {
            client async throws(StrakeClientError) in try await client.grantLease(ttlSeconds: seconds)
        }
        try context.printer.refuse(.table)
        context.printer.grant(answer)
    }

    static func revoke(_ context: CommandContext) async throws(CommandFailure) {
        guard context.words.count == 1 else { throw .arguments("lease revoke command needs 1 argument") }
        let lease = try id(context)
        let header = try await context.ask(prefix: "failed to revoke lease (", suffix: ")") {
            client async throws(StrakeClientError) in try await client.revokeLease(lease)
        }
        try context.printer.refuse(.table)
        try context.printer.revoke(lease, header)
    }

    static func timeToLive(_ context: CommandContext) async throws(CommandFailure) {
        guard context.words.count == 1 else {
            throw .arguments("lease timetolive command needs lease ID as argument")
        }
        let lease = try id(context)
        let wantsKeys = context.arguments.flag("keys")
        let answer = try await context.ask(failure: CommandFailure.badConnection) {
            client async throws(StrakeClientError) in try await client.timeToLive(of: lease, wantsKeys: wantsKeys)
        }
        try context.printer.refuse(.table)
        context.printer.timeToLive(answer, withKeys: wantsKeys)
    }

    static func list(_ context: CommandContext) async throws(CommandFailure) {
        let answer = try await context.ask(failure: CommandFailure.badConnection) {
            client async throws(StrakeClientError) in try await client.leases()
        }
        try context.printer.refuse(.table)
        context.printer.leases(answer)
    }

    static func keepAlive(_ context: CommandContext) async throws(CommandFailure) {
        guard context.words.count == 1 else {
            throw .arguments("lease keep-alive command needs lease ID as argument")
        }
        let lease = try id(context)
        let isOnce = context.arguments.flag("once")
        let client = try await context.client(isPatient: !isOnce)
        try context.printer.refuse(.table)
        if isOnce {
            let answer = try await context.call(failure: CommandFailure.badConnection) {
                () async throws(StrakeClientError) in try await client.keepAliveOnce(lease)
            }
            return context.printer.keepAlive(answer)
        }
        do {
            for try await answer in client.keepAlive(lease) { context.printer.keepAlive(answer) }
        } catch {
            guard error.isLeaseNotFound else { throw CommandFailure(error.goText, CommandFailure.badConnection) }
        }
        if context.printer.format == .simple {
            let text = GoText.hex(UInt64(bitPattern: lease.rawValue), width: 16)
            CommandOutput.line("lease \(text) expired or revoked.")
        }
    }
}
