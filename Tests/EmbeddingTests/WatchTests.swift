import StrakeStore
import Testing

struct WatchTests {
    @Test func `a watch delivers what comes after it was made, whole and in order`() async throws {
        try await withStore { store in
            try await store.put("/k/before", "x")
            var watch = try await store.watch(.prefix("/k/")).makeAsyncIterator()
            try await store.put("/k/a", "1")
            try await store.put("/other", "1")
            try await store.txn(if: [], then: [.put("/k/a", "2"), .put("/k/b", "2")])
            try await store.delete("/k/a")
            let events = try await watch.events(4)
            #expect(events.map(\.keyValue.keyText) == ["/k/a", "/k/a", "/k/b", "/k/a"])
            #expect(events.map(\.kind) == [.put, .put, .put, .delete])
            #expect(events.map(\.keyValue.modRevision) == [3, 5, 5, 6])
        }
    }

    @Test func `a watch from an old revision begins with history and goes on with what comes`() async throws {
        try await withStore { store in
            try await store.fill("/k/", count: 3_000)
            var options = EmbeddedStore.WatchOptions()
            options.startRevision = 2
            options.wantsPrevious = true
            let watch = try await store.watch(.prefix("/k/"), options)
            var updates = watch.makeAsyncIterator()
            async let more: Void = store.fill("/k/", count: 1_000)
            let events = try await updates.events(4_000)
            try await more
            #expect(events.map(\.keyValue.modRevision) == Array(2...4_001))
            #expect(events.prefix(3_000).allSatisfy { $0.previous == nil })
            #expect(events.suffix(1_000).allSatisfy { $0.previous?.version == 1 && $0.keyValue.version == 2 })
            #expect(watch.nextRevision == 4_002)
        }
    }

    @Test func `a watch can want puts or deletes only`() async throws {
        try await withStore { store in
            var options = EmbeddedStore.WatchOptions()
            options.wantsPuts = false
            options.wantsPrevious = true
            var deletes = try await store.watch("k", options).makeAsyncIterator()
            options = EmbeddedStore.WatchOptions()
            options.wantsDeletes = false
            var puts = try await store.watch("k", options).makeAsyncIterator()
            try await store.put("k", "1")
            try await store.delete("k")
            try await store.put("k", "2")
            try await store.delete("k")
            #expect(try await deletes.events(2).map { $0.previous?.text } == ["1", "2"])
            #expect(try await puts.events(2).map(\.keyValue.text) == ["1", "2"])
        }
    }

    @Test func `watches that come and go while keys change miss nothing from their beginning on`() async throws {
        try await withStore { store in
            let last: Int64 = 2_001
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { for number in 2...last { try await store.put("/k/\(number % 7)", "v") } }
                for reader in 0..<4 {
                    group.addTask {
                        var length: Int64 = 1
                        while store.revision < last {
                            let watch = try await store.watch(.prefix("/k/"))
                            var expected = watch.nextRevision
                            let end = min(last, expected + length)
                            length = (length * 3 + Int64(reader)) % 400
                            var updates = watch.makeAsyncIterator()
                            // Now and then all of them are gone, and nobody listens.
                            while expected <= end, let update = try await updates.next() {
                                for event in update.events {
                                    #expect(event.keyValue.modRevision == expected)
                                    expected = event.keyValue.modRevision + 1
                                }
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func `a reader that is slow holds nobody up and misses nothing`() async throws {
        var limits = EmbeddedStore.Limits()
        limits.watchBufferBytes = 64 << 10
        try await withStore(limits: limits) { store in
            let slow = try await store.watch(.prefix("/k/"))
            var quick = try await store.watch(.prefix("/k/")).makeAsyncIterator()
            // 8 MB of values: more than a hundred times what may wait for a reader.
            let (count, bytes) = (2_000, 4_000)
            async let filled: Void = store.fill("/k/", count: count, bytes: bytes)
            let seen = try await quick.events(count)
            try await filled
            #expect(seen.map(\.keyValue.modRevision) == Array(2...Int64(count + 1)))
            var late = slow.makeAsyncIterator()
            let all = try await late.events(count)
            #expect(all == seen)
        }
    }

    @Test func `a reader that comes too late for compacted history is told so`() async throws {
        var limits = EmbeddedStore.Limits()
        limits.watchBufferBytes = 1_000
        try await withStore(limits: limits) { store in
            let watch = try await store.watch(.prefix("/k/"))
            for number in 0..<200 { try await store.put("/k/\(number)", [UInt8](repeating: 1, count: 1_000)) }
            try await store.compact(through: store.revision)
            var updates = watch.makeAsyncIterator()
            var last: Int64 = 1
            let failure = await Result {
                while let update = try await updates.next() {
                    for event in update.events {
                        #expect(event.keyValue.modRevision == last + 1)
                        last = event.keyValue.modRevision
                    }
                }
            }
            #expect(last > 1 && last < 201)
            #expect(throws: EmbeddedStoreError.refused(.compacted(requested: last + 1, compactRevision: 201))) {
                try failure.get()
            }
            // Where it could have begun.
            var options = EmbeddedStore.WatchOptions()
            options.startRevision = 5
            await #expect(throws: EmbeddedStoreError.refused(.compacted(requested: 5, compactRevision: 201))) {
                try await store.watch(.prefix("/k/"), options)
            }
        }
    }

    @Test func `progress says how far a watch is, behind what it has delivered`() async throws {
        try await withStore { store in
            let watch = try await store.watch("k")
            var updates = watch.makeAsyncIterator()
            for _ in 0..<5 { try await store.put("other", "x") }
            watch.requestProgress()
            let update = try #require(try await updates.next())
            #expect(update.events.isEmpty)
            #expect(update.revision == 6)
            #expect(watch.nextRevision == 7)
        }
    }

    @Test func `a quiet watch that asks for progress gets it by itself`() async throws {
        var limits = EmbeddedStore.Limits()
        limits.watchProgressSeconds = 1
        try await withStore(limits: limits) { store in
            var options = EmbeddedStore.WatchOptions()
            options.notifiesProgress = true
            try await store.put("other", "x")
            var updates = try await store.watch("k", options).makeAsyncIterator()
            #expect(try await updates.next() == EmbeddedStore.WatchUpdate(events: [], revision: 2))
        }
    }

    @Test func `a watch ends with its store, by itself, and for a task that is canceled`() async throws {
        try await withStore { store in
            let canceled = try await store.watch("k")
            canceled.cancel()
            var iterator = canceled.makeAsyncIterator()
            #expect(try await iterator.next() == nil)
            let other = try await store.watch("k")
            let reading = Task {
                for try await _ in other {}
                return true
            }
            reading.cancel()
            #expect(try await reading.value)
            let last = try await store.watch("k")
            async let ended: Void = { for try await _ in last {} }()
            await store.close()
            try await ended
            await #expect(throws: EmbeddedStoreError.refused(.stopped)) { try await store.watch("k") }
        }
    }

    @Test func `ranges that can have no key, and revisions below zero, are refused`() async throws {
        try await withStore { store in
            await #expect(throws: EmbeddedStoreError.refused(.emptyKey)) { try await store.watch("") }
            await #expect(throws: EmbeddedStoreError.refused(.emptyKey)) {
                try await store.watch(.keys(from: "b", before: "a"))
            }
            var options = EmbeddedStore.WatchOptions()
            options.startRevision = -1
            await #expect(throws: EmbeddedStoreError.refused(.futureRevision(requested: -1, current: 1))) {
                try await store.watch("k", options)
            }
        }
    }
}
