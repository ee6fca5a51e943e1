internal import StrakeClient

/// Commands about each endpoint by itself: endpoint, defrag, move-leader.
enum EndpointCommands {
    static let flags = [
        CommandFlag("cluster", .flag, "false", "use all endpoints from the cluster member list")
    ]
    static let defragmentFlags =
        flags + [
            CommandFlag("data-dir", .text, "", "refused: a directory that no server runs on needs no defragmentation")
        ]
    static let hashFlags =
        flags + [CommandFlag("rev", .integer, "0", "maximum revision to hash (default: all revisions)")]

    /// --endpoints, or with --cluster those of all members.
    private static func endpoints(_ context: CommandContext) async throws(CommandFailure) -> [String] {
        guard context.arguments.flag("cluster") else { return context.endpoints }
        let members = try await context.ask(
            prefix: "failed to fetch endpoints from etcd cluster member list: "
        ) { client async throws(StrakeClientError) in try await client.members() }
        return members.body.flatMap(\.clientURLs)
    }

    // MARK: - health

    static func health(_ context: CommandContext) async throws(CommandFailure) {
        let endpoints = try await Self.endpoints(context)
        let list = await withTaskGroup(of: (Int, EndpointHealth).self) { group in
            for (place, endpoint) in endpoints.enumerated() {
                group.addTask { (place, await Self.health(of: endpoint, context)) }
            }
            var found: [(Int, EndpointHealth)] = []
            for await health in group { found.append(health) }
            // etcdctl prints them as they come; in the order they were asked for they can be compared.
            return found.sorted { $0.0 < $1.0 }.map(\.1)
        }
        try context.printer.health(list)
        if list.contains(where: { !$0.error.isEmpty }) { throw CommandFailure("unhealthy cluster") }
    }

    private static func health(of endpoint: String, _ context: CommandContext) async -> EndpointHealth {
        let clock = ContinuousClock()
        let start = clock.now
        func took() -> String {
            let parts = start.duration(to: clock.now).components
            return GoText.duration(nanoseconds: parts.seconds * 1_000_000_000 + parts.attoseconds / 1_000_000_000)
        }
        do throws(CommandFailure) {
            let client = try await context.client(to: [endpoint])
            do throws(StrakeClientError) {
                _ = try await client.get("health")
            } catch {
                // A refusal has gone through the cluster too.
                guard error.code == .permissionDenied else { throw CommandFailure(error.goText) }
            }
            let time = took()
            let alarms = (try? await client.alarms())?.body ?? []
            guard alarms.isEmpty else {
                let names = alarms.map { "\(Printer.name($0.kind)) " }.joined()
                return EndpointHealth(
                    endpoint: endpoint, isHealthy: false, took: time, error: "Active Alarm(s): \(names)")
            }
            return EndpointHealth(endpoint: endpoint, isHealthy: true, took: time)
        } catch {
            return EndpointHealth(endpoint: endpoint, isHealthy: false, took: took(), error: error.message ?? "")
        }
    }

    // MARK: - status, hashkv

    static func status(_ context: CommandContext) async throws(CommandFailure) {
        let client = try await context.client()
        var list: [(endpoint: String, status: Answer<MemberStatus>)] = []
        var isWhole = true
        for endpoint in try await endpoints(context) {
            do throws(StrakeClientError) {
                list.append((endpoint, try await client.status(of: endpoint)))
            } catch {
                isWhole = false
                CommandOutput.complaint("Failed to get the status of endpoint \(endpoint) (\(error.dialText))")
            }
        }
        try context.printer.status(list)
        if !isWhole { throw CommandFailure(nil) }
    }

    static func hashKV(_ context: CommandContext) async throws(CommandFailure) {
        let client = try await context.client()
        let revision = context.arguments.integer("rev")
        var list: [(endpoint: String, hash: Answer<KVHash>)] = []
        var failure: String?
        for endpoint in try await endpoints(context) {
            do throws(StrakeClientError) {
                list.append((endpoint, try await client.hashKV(of: endpoint, revision: revision)))
            } catch {
                failure = error.dialText
                CommandOutput.complaint("Failed to get the hash of endpoint \(endpoint) (\(error.dialText))")
            }
        }
        try context.printer.hashes(list)
        if let failure { throw CommandFailure(failure) }
    }

    // MARK: - defrag, move-leader

    static func defragment(_ context: CommandContext) async throws(CommandFailure) {
        guard !context.arguments.isSet("data-dir") else {
            throw .arguments(
                "--data-dir: Strake's directories need no defragmentation; 'etcdutl defrag --data-dir' is for an etcd's"
            )
        }
        let client = try await context.client()
        var failures: Int32 = 0
        for endpoint in try await endpoints(context) {
            do throws(StrakeClientError) {
                try await client.defragment(endpoint)
                CommandOutput.line("Finished defragmenting etcd member[\(endpoint)]")
            } catch {
                failures += 1
                CommandOutput.complaint("Failed to defragment etcd member[\(endpoint)] (\(error.dialText))")
            }
        }
        if failures > 0 { throw CommandFailure(nil) }
    }

    static func moveLeader(_ context: CommandContext) async throws(CommandFailure) {
        guard context.words.count == 1 else { throw .arguments("move-leader command needs 1 argument") }
        let target: UInt64
        do throws(CommandFailure) {
            target = try GoNumber.uint64(context.words[0], radix: 16)
        } catch {
            throw .arguments(error.message ?? "")
        }
        let client = try await context.client()
        for endpoint in context.endpoints {
            let status = try await context.call { () async throws(StrakeClientError) in
                try await client.status(of: endpoint)
            }
            guard status.leader == status.header.memberID else { continue }
            let header = try await context.call { () async throws(StrakeClientError) in
                try await client.moveLeader(to: target, from: endpoint)
            }
            return try context.printer.leaderMoved(from: status.leader, to: target, header)
        }
        throw .arguments("no leader endpoint given at [\(context.endpoints.joined(separator: " "))]")
    }

    // MARK: - alarm

    static func alarms(_ context: CommandContext) async throws(CommandFailure) {
        guard context.words.isEmpty else { throw .arguments("alarm list command accepts no arguments") }
        let answer = try await context.ask { client async throws(StrakeClientError) in try await client.alarms() }
        try context.printer.refuse(.table)
        context.printer.alarms(answer)
    }

    /// All that are raised.
    static func disarm(_ context: CommandContext) async throws(CommandFailure) {
        guard context.words.isEmpty else { throw .arguments("alarm disarm command accepts no arguments") }
        let client = try await context.client()
        let raised = try await context.call { () async throws(StrakeClientError) in try await client.alarms() }
        // clientv3 puts the answer together itself: without a header.
        var disarmed = Answer<[Alarm]>(header: Header(), body: [])
        for alarm in raised.body {
            disarmed.body += try await context.call { () async throws(StrakeClientError) in
                try await client.disarm(alarm)
            }.body
        }
        try context.printer.refuse(.table)
        context.printer.alarms(disarmed)
    }
}

extension StrakeClientError {
    /// Of a member that cannot be reached at all etcdctl says that the time was over, since it waits for that long.
    fileprivate var dialText: String { code == .unavailable && !wasSent ? "context deadline exceeded" : goText }
}
