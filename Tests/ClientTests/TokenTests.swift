internal import StrakeClient
internal import StrakeHTTP2
internal import StrakeModel
internal import Synchronization
internal import Testing

/// Tokens, against a server that gives them out and refuses them as it is told.
@Suite(.timeLimit(.minutes(5))) struct TokenTests {
    private static let authenticate = "/etcdserverpb.Auth/Authenticate"
    private static let badToken = ScriptedServer.Action.status(.unauthenticated, "etcdserver: invalid auth token")

    /// Gives out the tokens t1, t2 and so on; the rest is for the script.
    private func server(_ script: @escaping ScriptedServer.Script) async throws -> ScriptedServer {
        let given = Atomic(0)
        return try await ScriptedServer.start { request in
            guard request.method == Self.authenticate else { return script(request) }
            return .answer(Messages.token("t\(given.add(1, ordering: .relaxed).newValue)"))
        }
    }

    private func client(of server: ScriptedServer, requestTimeout: Duration? = nil) throws -> StrakeClient {
        var options = StrakeClient.Options()
        options.credentials = StrakeClient.Credentials(user: "u", password: "sesame")
        options.requestTimeout = requestTimeout
        return try StrakeClient(endpoints: [server.endpoint], options: options)
    }

    private func failure(of call: () async throws -> Void) async -> StrakeClientError? {
        do {
            try await call()
            return nil
        } catch {
            return error as? StrakeClientError
        }
    }

    private func tokens(_ server: ScriptedServer) -> [String?] {
        server.requests.filter { $0.method != Self.authenticate }.map(\.token)
    }

    private func authentications(_ server: ScriptedServer) -> Int {
        server.requests.count { $0.method == Self.authenticate }
    }

    @Test func `one token serves all calls`() async throws {
        let server = try await server { _ in .answer(Messages.range("k", "v", revision: 1)) }
        let client = try client(of: server)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<50 { group.addTask { _ = try await client.get("k") } }
            try await group.waitForAll()
        }
        #expect(authentications(server) == 1)
        #expect(tokens(server) == Array(repeating: "t1", count: 50))
        let asked = try #require(server.requests.first { $0.method == Self.authenticate })
        #expect(asked.token == nil && asked.message == [10, 1] + Array("u".utf8) + [18, 6] + Array("sesame".utf8))
    }

    @Test(
        "a write that is refused because of its token is made again with another",
        arguments: [
            (GRPCStatus.unauthenticated, "etcdserver: invalid auth token"),
            (.invalidArgument, "etcdserver: revision of auth store is old"),
            (.invalidArgument, "etcdserver: user name is empty"),
        ])
    func renewal(status: GRPCStatus, message: String) async throws {
        let server = try await server { request in
            request.token == "t1" ? .status(status, message) : .answer(Messages.put(revision: 2))
        }
        let client = try client(of: server)
        for _ in 0..<2 { #expect(try await client.put("k", "v").header.revision == 2) }
        #expect(tokens(server) == ["t1", "t2", "t2"])
    }

    @Test func `tokens that are refused over and over fail the call`() async throws {
        let server = try await server { _ in Self.badToken }
        let client = try client(of: server)
        let error = await failure { try await client.put("k", "v") }
        #expect(error?.code == .unauthenticated && error?.message == "etcdserver: invalid auth token")
        #expect(tokens(server) == ["t1", "t2", "t3", "t4", "t5", "t6"])
    }

    @Test func `a wrong password fails each call, and no text shows it`() async throws {
        let server = try await ScriptedServer.start { _ in
            .status(.invalidArgument, "etcdserver: authentication failed, invalid user ID or password")
        }
        let client = try client(of: server)
        for call in 1...2 {
            let error = try #require(await failure { try await client.put("k", "v") })
            #expect(error.code == .invalidArgument && !error.wasSent && authentications(server) == call)
            #expect(!"\(error)".contains("sesame"))
        }
        #expect(await failure { try await client.authenticate() }?.code == .invalidArgument)
        var options = StrakeClient.Options()
        options.credentials = StrakeClient.Credentials(user: "name", password: "sesame")
        var dumped = ""
        dump(options, to: &dumped)
        for text in ["\(options)", String(reflecting: options), dumped] {
            #expect(text.contains("name") && !text.contains("sesame"))
        }
    }

    @Test func `without authentication calls go without a token, until it is enabled`() async throws {
        let isEnabled = Atomic(false)
        let server = try await ScriptedServer.start { request in
            let enabled = isEnabled.load(ordering: .relaxed)
            if request.method == Self.authenticate {
                return enabled
                    ? .answer(Messages.token("t1"))
                    : .status(.failedPrecondition, "etcdserver: authentication is not enabled")
            }
            return enabled && request.token == nil
                ? .status(.invalidArgument, "etcdserver: user name is empty") : .answer(Messages.put(revision: 2))
        }
        let client = try client(of: server)
        for _ in 0..<2 { try await client.put("k", "v") }
        isEnabled.store(true, ordering: .relaxed)
        for _ in 0..<2 { try await client.put("k", "v") }
        #expect(tokens(server) == [nil, nil, nil, "t1", "t1"])
        #expect(authentications(server) == 2)
    }

    @Test(
        "a watch that is refused because of its token is made again with another",
        arguments: [
            "rpc error: code = Unauthenticated desc = etcdserver: invalid auth token",
            "etcdserver: invalid auth token",
            // etcd 3.5.1 says no more of an old token.
            "rpc error: code = PermissionDenied desc = etcdserver: permission denied",
        ])
    func watch(reason: String) async throws {
        let server = try await server { request in
            request.token == "t1"
                ? .messages([Messages.denied(reason)])
                : .messages([Messages.created(revision: 4), Messages.events("k", at: [5])])
        }
        let client = try client(of: server)
        var iterator = try await client.watch("k").makeAsyncIterator()
        #expect(try await iterator.next()?.events.count == 1)
        #expect(tokens(server) == ["t1", "t2"])
    }

    @Test func `a quiet watch outlives any number of tokens`() async throws {
        let watches = Atomic(0)
        let server = try await server { _ in
            let number = watches.add(1, ordering: .relaxed).newValue
            if number % 2 == 1 { return .messages([Messages.denied("etcdserver: invalid auth token")]) }
            return number < 16
                ? .close(after: [Messages.created(revision: 4)])
                : .messages([Messages.created(revision: 4), Messages.events("k", at: [5])])
        }
        let client = try client(of: server)
        var iterator = try await client.watch("k").makeAsyncIterator()
        #expect(try await iterator.next()?.events.count == 1)
        #expect(authentications(server) == 9)
    }

    @Test func `a watch that its user may not have ends after another token`() async throws {
        let server = try await server { _ in
            .messages([Messages.denied("rpc error: code = PermissionDenied desc = etcdserver: permission denied")])
        }
        let client = try client(of: server)
        let error = await failure { _ = try await client.watch("k") }
        #expect(error?.code == .permissionDenied && error?.message == "etcdserver: permission denied")
        #expect(tokens(server) == ["t1", "t2"])
    }

    @Test func `a keep-alive that is refused because of its token is made again with another`() async throws {
        let server = try await server { request in
            request.token == "t1" ? Self.badToken : .messages([Messages.lease(7, ttl: 10)])
        }
        let client = try client(of: server)
        #expect(try await client.keepAliveOnce(LeaseID(rawValue: 7)).ttlSeconds == 10)
        #expect(tokens(server) == ["t1", "t2"])
    }

    @Test func `a snapshot begins with a new token`() async throws {
        let server = try await server { request in
            request.method.hasSuffix("Snapshot") ? .messages([]) : .answer(Messages.put(revision: 2))
        }
        let client = try client(of: server)
        try await client.put("k", "v")
        _ = try await client.snapshot()
        try await client.put("k", "v")
        #expect(authentications(server) == 2)
        #expect(tokens(server).contains("t1") && tokens(server).last == "t2")
    }

    @Test func `a call waits for a token no longer than it may, and others go on waiting`() async throws {
        let server = try await ScriptedServer.start { _ in .silence }
        let client = try client(of: server, requestTimeout: .milliseconds(50))
        let waiting = Task { () -> StrakeClientError? in
            await failure { try await client.authenticate(timeout: .seconds(600)) }
        }
        // The put asks for no token of its own: it is the first one's that both wait for.
        while server.requests.isEmpty { await Task.yield() }
        let error = await failure { try await client.put("k", "v") }
        #expect(error?.code == .deadlineExceeded && error?.wasSent == false)
        waiting.cancel()
        #expect(await waiting.value?.isCancelled == true)
        #expect(server.requests.map(\.method) == [Self.authenticate])
        client.close()
    }
}
