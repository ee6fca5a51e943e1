internal import StrakeClient
internal import StrakeSignals

/// lock and elect: what is held as long as a lease is kept.
enum SessionCommands {
    static let lockFlags = [CommandFlag("ttl", .integer, "10", "timeout for session")]
    static let electFlags = [CommandFlag("listen", short: "l", .flag, "false", "observation mode")]
    /// clientv3's for a session of which nothing else is said.
    private static let sessionSeconds: Int64 = 60

    static func lock(_ context: CommandContext) async throws(CommandFailure) {
        guard let name = context.arguments.rawWords.first else {
            throw .arguments("lock takes a lock name argument and an optional command to execute")
        }
        let command = Array(context.arguments.rawWords.dropFirst())
        let client = try await context.client(isPatient: true)
        let lease = try await grant(client, context, context.arguments.integer("ttl"))
        let session = Session(client, lease)
        let held = try await session.wait { () async throws(StrakeClientError) in
            try await client.lock(name, lease: lease)
        }
        guard command.isEmpty else {
            let variables = [
                Array("ETCD_LOCK_KEY=".utf8) + held.body, Array("ETCD_LOCK_REV=\(held.header.revision)".utf8),
            ]
            let code = try await runApart(command, variables)
            await session.giveBack()
            if code != 0 { throw CommandFailure("exit status \(code)", code) }
            return
        }
        let answer = try await context.call { () async throws(StrakeClientError) in try await client.get(held.body) }
        guard !answer.keyValues.isEmpty else { throw CommandFailure("lock lost on init") }
        try context.printer.refuse(.table)
        context.printer.get(answer)
        guard await session.untilSignal() else { throw CommandFailure("session expired") }
        await session.giveBack()
    }

    static func elect(_ context: CommandContext) async throws(CommandFailure) {
        let words = context.arguments.rawWords
        let isListening = context.arguments.flag("listen")
        guard (1...2).contains(words.count) else {
            throw .arguments("elect takes one election name argument and an optional proposal argument")
        }
        guard words.count == 2 || isListening else { throw .arguments("no proposal argument but -l not set") }
        guard words.count == 1 || !isListening else { throw .arguments("proposal given but -l is set") }
        let client = try await context.client(isPatient: true)
        try context.printer.refuse(.table)
        if isListening { return try await observe(words[0], client, context) }
        let lease = try await grant(client, context, sessionSeconds)
        let session = Session(client, lease)
        let leader = try await session.wait { () async throws(StrakeClientError) in
            try await client.campaign(words[0], value: words[1], lease: lease)
        }
        let answer = try await context.call { () async throws(StrakeClientError) in
            try await client.get(leader.key)
        }
        context.printer.get(answer)
        guard await session.untilSignal() else { throw CommandFailure("elect: session expired") }
        await session.giveBack()
    }

    private static func observe(
        _ name: [UInt8], _ client: StrakeClient, _ context: CommandContext
    ) async throws(CommandFailure) {
        let signals = SignalWaiter()
        let observing = Task { () async -> StrakeClientError? in
            do throws(StrakeClientError) {
                var leaders = try await client.observe(name).makeAsyncIterator()
                while let leader = try await leaders.next() {
                    let body = RangeResponse(keyValues: [leader.body])
                    context.printer.get(Answer(header: leader.header, body: body))
                }
                return nil
            } catch {
                return error
            }
        }
        let interrupting = Task {
            _ = await signals.next()
            observing.cancel()
        }
        let error = await observing.value
        interrupting.cancel()
        if let error, error.isCancelled { return }
        throw CommandFailure("elect: observer lost")
    }

    private static func grant(
        _ client: StrakeClient, _ context: CommandContext, _ seconds: Int64
    ) async throws(CommandFailure) -> LeaseID {
        try await context.call { () async throws(StrakeClientError) in
            try await client.grantLease(ttlSeconds: seconds).id
        }
    }

    /// On a thread of its own: the lease has to be kept meanwhile.
    private static func runApart(_ words: [[UInt8]], _ variables: [[UInt8]]) async throws(CommandFailure) -> Int32 {
        let outcome = await withCheckedContinuation { continuation in
            BackgroundThread.run {
                do throws(CommandFailure) {
                    let code = try ChildCommand.run(words, variables: variables)
                    continuation.resume(returning: Result<Int32, CommandFailure>.success(code))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try outcome.get()
    }
}
