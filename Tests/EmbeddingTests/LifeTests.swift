import StrakeStore
import StrakeTemporaryDirectory
import Testing

struct LifeTests {
    private let directory = TemporaryDirectory(in: .memory)
    private var options: StoreOptions { StoreOptions(dataDirectory: directory.path + "/data") }

    @Test func `what was acknowledged is there when the directory is opened again`() async throws {
        let lease = LeaseID(rawValue: 3)
        let member = try await EmbeddedStore.withStore(options) { store in
            try await store.fill("/k/", count: 500)
            _ = try await store.grantLease(ttlSeconds: 1_000, id: lease)
            try await store.put("leased", "x", lease: lease)
            return store.status.memberID
        }
        try await EmbeddedStore.withStore(options) { store in
            #expect(store.status.memberID == member)
            #expect(try await store.count(.prefix("/k/")) == 500)
            #expect(try await store.lease(lease, wantsKeys: true)?.keys == [Array("leased".utf8)])
            // History goes on where it was.
            var watching = EmbeddedStore.WatchOptions()
            watching.startRevision = 2
            var watch = try await store.watch(.all, watching).makeAsyncIterator()
            #expect(try await watch.events(501).map(\.keyValue.modRevision) == Array(2...502))
        }
    }

    @Test func `a directory belongs to one store at a time`() async throws {
        let store = try await EmbeddedStore.open(options)
        let options = options
        let error = await #expect(throws: StoreStartError.self) { try await EmbeddedStore.open(options) }
        #expect(error?.description.contains(directory.path) == true, "\(String(describing: error))")
        await store.close()
        await store.close()
        let next = try await EmbeddedStore.open(options)
        await next.close()
    }

    @Test func `a store that runs closes when its task is canceled`() async throws {
        let store = try await EmbeddedStore.open(options)
        let running = Task { try await store.run() }
        try await store.put("k", "v")
        running.cancel()
        try await running.value
        await #expect(throws: EmbeddedStoreError.refused(.stopped)) { try await store.put("k", "v") }
        await #expect(throws: EmbeddedStoreError.refused(.stopped)) { try await store.get("k") }
        await #expect(throws: EmbeddedStoreError.refused(.stopped)) { try await store.get("k", .local) }
        await #expect(throws: EmbeddedStoreError.refused(.stopped)) { try await store.range(.all) }
        await #expect(throws: EmbeddedStoreError.refused(.stopped)) { try await store.keepAlive(LeaseID(rawValue: 1)) }
        try await EmbeddedStore.withStore(options) { store in
            let kept = try await store.get("k")
            #expect(kept?.text == "v")
        }
    }

    @Test func `a store that runs ends when it is closed`() async throws {
        let store = try await EmbeddedStore.open(options)
        async let running: Void = store.run()
        await store.close()
        try await running
    }

    @Test func `what is left of a closed store does not stand in the way of the next one`() async throws {
        var limits = EmbeddedStore.Limits()
        limits.scanPieceBytes = 1
        let store = try await EmbeddedStore.open(options, limits: limits)
        try await store.fill("/k/", count: 100)
        var scan = try await store.scan(.all).makeAsyncIterator()
        #expect(try await scan.next() != nil)
        let watch = try await store.watch(.all)
        await store.close()
        // LMDB does not bear a file that is open twice in one process.
        try await EmbeddedStore.withStore(options) { next in
            try await next.fill("/k/", count: 200)
            let count = try await next.count(.all)
            #expect(count == 200)
        }
        let left = await Result { try await scan.next() }
        #expect(throws: EmbeddedStoreError.refused(.stopped)) { try left.get() }
        #expect(store.status.revision == 101)
        #expect(store.members.count == 1)
        #expect(watch.nextRevision == 102)
        withExtendedLifetime(store) {}
    }

    @Test func `changes under way when the store is closed are made or refused, and none is left waiting`() async throws
    {
        let store = try await EmbeddedStore.open(options)
        let acknowledged = await withTaskGroup(of: Int?.self) { group in
            for number in 0..<500 {
                group.addTask {
                    do throws(EmbeddedStoreError) {
                        try await store.put("k\(number)", "v")
                        return number
                    } catch {
                        #expect(error == .refused(.stopped))
                        return nil
                    }
                }
            }
            group.addTask {
                await store.close()
                return nil
            }
            return await group.reduce(into: []) { if let number = $1 { $0.append(number) } }
        }
        try await EmbeddedStore.withStore(options) { store in
            for number in acknowledged {
                let kept = try await store.get("k\(number)")
                #expect(kept != nil)
            }
        }
    }

    @Test func `a store that is forgotten lets go of its directory`() async throws {
        do {
            let store = try await EmbeddedStore.open(options)
            try await store.put("k", "v")
        }
        var opened: EmbeddedStore?
        while opened == nil { opened = try? await EmbeddedStore.open(options) }
        #expect(try await opened?.get("k")?.text == "v")
        await opened?.close()
    }

    @Test(
        "options out of their bounds are refused by name",
        arguments: ["electionMilliseconds", "initialMembers", "dataDirectory", "pageBytes", "requestBytesMax"])
    func refusals(field: String) async throws {
        var options = options
        var limits = EmbeddedStore.Limits()
        switch field {
        case "electionMilliseconds": options.electionMilliseconds = 100
        case "initialMembers":
            options.initialMembers = ["a", "b"].map { InitialMember(name: $0, peerURLs: ["http://\($0):1"]) }
        case "dataDirectory": options.dataDirectory = ""
        case "pageBytes": limits.pageBytes = 0
        default: limits.requestBytesMax = 64 << 20
        }
        let error = await Result { try await EmbeddedStore.open(options, limits: limits) }
        #expect(throws: StoreStartError.self) { try error.get() }
        if case .failure(let error) = error { #expect("\(error)".contains(field)) }
    }
}
