internal import StrakeClient
internal import StrakeHTTP2
internal import StrakeModel
internal import Testing

/// Watches, keep-alives and snapshots against a server that does as it is told.
@Suite(.timeLimit(.minutes(5))) struct StreamTests {
    private func revisions(_ response: WatchResponse?) -> [Int64] {
        response?.events.map(\.keyValue.modRevision) ?? []
    }

    @Test func `a watch goes on after the last delivered revision when the connection is lost`() async throws {
        let server = try await ScriptedServer.start { request in
            switch request.number {
            case 0: .close(after: [Messages.created(revision: 4), Messages.events("k", at: [5, 6])])
            case 1: .close(after: [])
            case 2: .close(after: [Messages.created(revision: 9), Messages.events("k", at: [6, 7, 8])])
            default: .messages([Messages.created(revision: 9), Messages.events("k", at: [9])])
            }
        }
        let client = try StrakeClient(endpoints: [server.endpoint])
        let watch = try await client.watch("k")
        #expect(watch.nextRevision == 5)
        var iterator = watch.makeAsyncIterator()
        var seen: [Int64] = []
        while seen.count < 5 { seen += revisions(try await iterator.next()) }
        #expect(seen == [5, 6, 7, 8, 9])
        #expect(server.requests.map { Messages.startRevision($0.message) } == [0, 7, 7, 9])
    }

    @Test func `a watch goes on at another member`() async throws {
        // The first one takes new watches only, and goes down with them; the second one only those that go on.
        let first = try await ScriptedServer.start { request in
            Messages.startRevision(request.message) == 0
                ? .close(after: [Messages.created(revision: 1), Messages.events("k", at: [2])])
                : .status(.unavailable, "etcdserver: no leader")
        }
        let second = try await ScriptedServer.start { request in
            Messages.startRevision(request.message) == 3
                ? .messages([Messages.created(revision: 5), Messages.events("k", at: [3, 5])])
                : .status(.unavailable, "etcdserver: no leader")
        }
        let client = try StrakeClient(endpoints: [first.endpoint, second.endpoint])
        var iterator = try await client.watch("k").makeAsyncIterator()
        #expect(revisions(try await iterator.next()) == [2])
        #expect(revisions(try await iterator.next()) == [3, 5])
    }

    @Test func `compaction ends a watch, and says up to where`() async throws {
        let server = try await ScriptedServer.start { _ in
            .messages([Messages.created(revision: 40), Messages.compacted(at: 21, revision: 40)])
        }
        let client = try StrakeClient(endpoints: [server.endpoint])
        var options = WatchOptions()
        options.revision = 3
        var iterator = try await client.watch("k", options).makeAsyncIterator()
        for _ in 0..<2 {
            await #expect {
                _ = try await iterator.next()
            } throws: { error in
                let error = error as? StrakeClientError
                return error?.isCompacted == true && error?.compactRevision == 21
            }
        }
        #expect(server.requests.count == 1)
    }

    @Test func `a watch that is to go on after compaction does, on another stream`() async throws {
        let server = try await ScriptedServer.start { request in
            Messages.startRevision(request.message) == 3
                ? .messages([Messages.created(revision: 40), Messages.compacted(at: 21, revision: 40)])
                : .messages([Messages.created(revision: 40), Messages.events("k", at: [21, 30])])
        }
        let client = try StrakeClient(endpoints: [server.endpoint])
        var options = WatchOptions()
        options.revision = 3
        options.resumesAfterCompaction = true
        var iterator = try await client.watch("k", options).makeAsyncIterator()
        let told = try await iterator.next()
        #expect(told?.compactRevision == 21 && told?.events == [])
        #expect(revisions(try await iterator.next()) == [21, 30])
        #expect(server.requests.count == 2)
    }

    @Test func `a watch that is cancelled ends`() async throws {
        let server = try await ScriptedServer.start { _ in .messages([Messages.created(revision: 1)]) }
        let client = try StrakeClient(endpoints: [server.endpoint])
        let watch = try await client.watch(.all)
        let task = Task {
            for try await _ in watch {}
        }
        watch.cancel()
        await #expect { try await task.value } throws: { ($0 as? StrakeClientError)?.isCancelled == true }
        while server.resets == 0 { await Task.yield() }
    }

    @Test func `events that are not taken stay with the server`() async throws {
        let value = [UInt8](repeating: 7, count: 64 << 10)
        let total = 200
        let server = try await ScriptedServer.start { request in
            guard request.method == "/etcdserverpb.Watch/Watch" else {
                return .answer(Messages.range("k", "v", revision: 1))
            }
            let events = (0..<total).map { Messages.events("k", at: [Int64($0) + 2], value: value) }
            return .messages([Messages.created(revision: 1)] + events)
        }
        let client = try StrakeClient(endpoints: [server.endpoint])
        let watch = try await client.watch("k")
        // Each answer says that all that the server could send before it has come and was taken in.
        for _ in 0..<100 { _ = try await client.get("k") }
        // At most a MiB is buffered, and a window and a half of a MiB each on the way.
        #expect(server.queuedBytes > (total * value.count) / 2)
        var iterator = watch.makeAsyncIterator()
        var seen = 0
        while seen < total { seen += revisions(try await iterator.next()).count }
        while server.queuedBytes > 0 { await Task.yield() }
    }

    @Test func `a lease is kept over a lost connection, until it is not found`() async throws {
        let server = try await ScriptedServer.start { request in
            switch request.number {
            case 0: .messages([Messages.lease(9, ttl: 1)])
            case 1: .close(after: [])
            case 2: .messages([Messages.lease(9, ttl: 1)])
            default: .messages([Messages.lease(9, ttl: 0)])
            }
        }
        let client = try StrakeClient(endpoints: [server.endpoint])
        var renewals = 0
        await #expect {
            for try await answer in client.keepAlive(LeaseID(rawValue: 9)) {
                #expect(answer.ttlSeconds == 1)
                renewals += 1
            }
        } throws: { ($0 as? StrakeClientError)?.isLeaseNotFound == true }
        #expect(renewals == 2 && server.requests.count == 4)
    }
}
