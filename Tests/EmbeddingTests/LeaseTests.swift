import StrakeStore
import Testing

struct LeaseTests {
    private func quickly(_ options: inout StoreOptions) {
        options.heartbeatMilliseconds = 10
        options.electionMilliseconds = 50
    }

    @Test func `a lease that ends takes its keys with it, in one revision`() async throws {
        try await withStore(configure: quickly) { store in
            var watch = try await store.watch(.prefix("/k/")).makeAsyncIterator()
            // Long enough for two puts on a machine that is busy with other tests.
            let lease = try await store.grantLease(ttlSeconds: 3)
            #expect(lease.ttlSeconds == 3)
            try await store.put("/k/a", "1", lease: lease.id)
            try await store.put("/k/b", "1", lease: lease.id)
            let events = try await watch.events(4)
            #expect(events.map(\.kind) == [.put, .put, .delete, .delete])
            #expect(events[2].keyValue.modRevision == events[3].keyValue.modRevision)
            #expect(try await store.lease(lease.id) == nil)
            await #expect(throws: EmbeddedStoreError.refused(.leaseNotFound)) { try await store.keepAlive(lease.id) }
            await #expect(throws: EmbeddedStoreError.refused(.leaseNotFound)) { try await store.revokeLease(lease.id) }
        }
    }

    @Test func `a lease can be looked at, renewed and revoked`() async throws {
        try await withStore { store in
            let id = LeaseID(rawValue: 7)
            #expect(try await store.grantLease(ttlSeconds: 1_000, id: id).id == id)
            await #expect(throws: EmbeddedStoreError.refused(.leaseExists)) {
                try await store.grantLease(ttlSeconds: 1_000, id: id)
            }
            await #expect(throws: EmbeddedStoreError.refused(.leaseTTLTooLarge)) {
                try await store.grantLease(ttlSeconds: 9_000_000_001)
            }
            try await store.put("k", "v", lease: id)
            #expect(try await store.keepAlive(id).ttlSeconds == 1_000)
            let status = try #require(try await store.lease(id, wantsKeys: true))
            #expect(status.grantedSeconds == 1_000 && status.keys == [Array("k".utf8)])
            #expect((900_000...1_000_000).contains(status.remainingMilliseconds))
            #expect(try await store.leases() == [id])
            try await store.revokeLease(id)
            #expect(try await store.get("k") == nil)
        }
    }

    @Test func `a lease lives as long as the body that it is lent to`() async throws {
        try await withStore(configure: quickly) { store in
            let value = try await store.withLease(ttlSeconds: 4) { lease in
                try await store.put("member", "here", lease: lease)
                // Longer than its time: it is renewed.
                try await Task.sleep(for: .seconds(5))
                return try await store.get("member")?.text
            }
            #expect(value == "here")
            #expect(try await store.get("member") == nil)
            #expect(try await store.leases() == [])
        }
    }

    @Test func `a body whose lease is gone is canceled`() async throws {
        try await withStore(configure: quickly) { store in
            let result = await Result {
                try await store.withLease(ttlSeconds: 3) { lease in
                    try await store.revokeLease(lease)
                    try await Task.sleep(for: .seconds(60))
                }
            }
            #expect(throws: EmbeddedStoreError.refused(.leaseNotFound)) { try result.get() }
        }
    }
}
