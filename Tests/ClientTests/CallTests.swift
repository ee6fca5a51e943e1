internal import StrakeClient
internal import StrakeHTTP2
internal import StrakeModel
internal import Testing

/// Calls against a server that does as it is told.
@Suite(.timeLimit(.minutes(5))) struct CallTests {
    private func failure(of call: () async throws -> Void) async -> StrakeClientError? {
        do {
            try await call()
            return nil
        } catch {
            return error as? StrakeClientError
        }
    }

    @Test func `what a server answers is read whole`() async throws {
        let server = try await ScriptedServer.start { _ in .answer(Messages.range("k", "v", revision: 7)) }
        let client = try StrakeClient(endpoints: [server.endpoint])
        let answer = try await client.get("k")
        #expect(answer.header.revision == 7 && answer.count == 1)
        #expect(answer.keyValues.first?.value == Array("v".utf8))
        client.close()
    }

    @Test func `a read is made again after a member without a leader`() async throws {
        let server = try await ScriptedServer.start { request in
            request.number < 2
                ? .status(.unavailable, "etcdserver: no leader") : .answer(Messages.range("k", "v", revision: 1))
        }
        let client = try StrakeClient(endpoints: [server.endpoint])
        _ = try await client.get("k")
        #expect(server.requests.count == 3)
    }

    @Test func `a write that a member may have done is not made again`() async throws {
        let server = try await ScriptedServer.start { _ in .close(after: []) }
        let client = try StrakeClient(endpoints: [server.endpoint])
        let error = await failure { try await client.put("k", "v") }
        #expect(error?.code == .unavailable && error?.wasSent == true)
        #expect(server.requests.count == 1)
        let refused = try await ScriptedServer.start { _ in .status(.unavailable, "etcdserver: leader changed") }
        let other = try StrakeClient(endpoints: [refused.endpoint])
        #expect(await failure { try await other.put("k", "v") }?.message == "etcdserver: leader changed")
        #expect(refused.requests.count == 1)
    }

    @Test func `a write that a member has refused to look at is made again`() async throws {
        let server = try await ScriptedServer.start { request in
            request.number == 0 ? .reset(.refusedStream) : .answer(Messages.put(revision: 2))
        }
        let client = try StrakeClient(endpoints: [server.endpoint])
        #expect(try await client.put("k", "v").header.revision == 2)
        #expect(server.requests.count == 2)
    }

    @Test func `calls go to the endpoints that are there`() async throws {
        let gone = try await ScriptedServer.start { _ in .silence }
        let endpoint = gone.endpoint
        await gone.stop()
        let server = try await ScriptedServer.start { _ in .answer(Messages.put(revision: 2)) }
        let client = try StrakeClient(endpoints: [endpoint, server.endpoint])
        for _ in 0..<5 { try await client.put("k", "v") }
        #expect(server.requests.count == 5)
    }

    @Test func `with no endpoint there a call says which, and that nothing was sent`() async throws {
        let gone = try await ScriptedServer.start { _ in .silence }
        let endpoint = gone.endpoint
        await gone.stop()
        var options = StrakeClient.Options()
        options.maxUnaryTries = 2
        let client = try StrakeClient(endpoints: [endpoint], options: options)
        let error = await failure { try await client.put("k", "v") }
        #expect(error?.code == .unavailable && error?.wasSent == false)
        #expect(error?.message.contains(endpoint) == true)
    }

    @Test func `calls take turns over the endpoints`() async throws {
        let servers = [
            try await ScriptedServer.start { _ in .answer(Messages.put(revision: 2)) },
            try await ScriptedServer.start { _ in .answer(Messages.put(revision: 2)) },
        ]
        let client = try StrakeClient(endpoints: servers.map(\.endpoint))
        // Until both are connected; each answers by itself, so this ends.
        while !servers.allSatisfy({ $0.requests.count >= 3 }) { try await client.put("k", "v") }
        #expect(servers.allSatisfy { $0.connections == 1 })
    }

    @Test func `calls at the same time share a connection`() async throws {
        let server = try await ScriptedServer.start { _ in .answer(Messages.put(revision: 2)) }
        let client = try StrakeClient(endpoints: [server.endpoint])
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<200 {
                group.addTask { _ = try await client.put("k\(number)", "v") }
            }
            try await group.waitForAll()
        }
        #expect(server.requests.count == 200 && server.connections == 1)
    }

    @Test func `a call ends with its time, and the server is told both`() async throws {
        let server = try await ScriptedServer.start { _ in .silence }
        var options = StrakeClient.Options()
        options.requestTimeout = .milliseconds(100)
        options.requiresLeader = true
        let client = try StrakeClient(endpoints: [server.endpoint], options: options)
        // On a busy machine the time may be over before there is a connection.
        repeat {
            let error = await failure { try await client.put("k", "v") }
            #expect(error?.code == .deadlineExceeded && error?.message == "context deadline exceeded")
        } while server.requests.isEmpty
        #expect(server.requests.first?.hasTimeout == true && server.requests.first?.requiresLeader == true)
        while server.resets == 0 { await Task.yield() }
    }

    @Test func `a cancelled task gets its call off`() async throws {
        let server = try await ScriptedServer.start { _ in .silence }
        let client = try StrakeClient(endpoints: [server.endpoint])
        let task = Task { try await client.put("k", "v") }
        while server.requests.isEmpty { await Task.yield() }
        task.cancel()
        let error = await failure { _ = try await task.value }
        #expect(error?.isCancelled == true && error?.wasSent == true)
        while server.resets == 0 { await Task.yield() }
    }

    @Test func `a closed client makes no calls, and ends those under way`() async throws {
        let server = try await ScriptedServer.start { _ in .silence }
        let client = try StrakeClient(endpoints: [server.endpoint])
        let task = Task { try await client.get("k") }
        while server.requests.isEmpty { await Task.yield() }
        client.close()
        #expect(await failure { _ = try await task.value }?.isCancelled == true)
        #expect(await failure { try await client.put("k", "v") }?.message == "the client is closed")
        #expect(server.requests.count == 1)
    }

    @Test func `a request that is too long is not sent`() async throws {
        let client = try StrakeClient(endpoints: ["127.0.0.1:1"])
        let value = [UInt8](repeating: 1, count: 3 << 20)
        let error = await failure { try await client.put("k", value) }
        #expect(error?.code == .resourceExhausted && error?.wasSent == false)
    }
}
