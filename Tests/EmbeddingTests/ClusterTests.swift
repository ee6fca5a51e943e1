import StrakeFreePort
import StrakePeers
import StrakeStore
import StrakeTemporaryDirectory
import Testing

/// Members of one cluster in this process, over TCP.
struct EmbeddedClusterTests {
    private let directory = TemporaryDirectory(in: .memory)

    private func options(_ number: Int, _ urls: [String]) -> StoreOptions {
        var options = StoreOptions(dataDirectory: directory.path + "/m\(number)")
        options.name = "m\(number)"
        options.peerURLs = [urls[number]]
        options.clientURLs = []
        options.initialMembers = urls.enumerated().map { InitialMember(name: "m\($0)", peerURLs: [$1]) }
        return options
    }

    private func open(_ urls: [String]) async throws -> [EmbeddedStore] {
        var stores: [EmbeddedStore] = []
        for number in urls.indices {
            stores.append(try await EmbeddedStore.open(options(number, urls), network: .tcp()))
        }
        return stores
    }

    @Test func `three members take changes and reads through each, and go on without one`() async throws {
        let urls = freeURLs(3)
        var stores = try await open(urls)
        for store in stores { try await store.untilReady() }
        for (number, store) in stores.enumerated() { try await store.put("/k/\(number)", "v\(number)") }
        for store in stores {
            // Linearizable: each sees what was acknowledged through the others.
            #expect(try await store.range(.prefix("/k/")).keyValues.map(\.text) == ["v0", "v1", "v2"])
            #expect(store.members.map(\.name).sorted() == ["m0", "m1", "m2"])
            #expect(store.status.clusterID == stores[0].status.clusterID)
        }
        var watch = try await stores[1].watch(.prefix("/k/")).makeAsyncIterator()
        let lease = try await stores[2].grantLease(ttlSeconds: 1_000)
        try await stores[0].put("/k/leased", "x", lease: lease.id)
        #expect(try await watch.events(1).map(\.keyValue.keyText) == ["/k/leased"])
        #expect(try await stores[1].keepAlive(lease.id).ttlSeconds == 1_000)

        let gone = stores.firstIndex { $0.status.isLeader } ?? 0
        await stores[gone].close()
        let rest = stores.enumerated().filter { $0.offset != gone }.map(\.element)
        try await rest[0].put("/k/after", "v")
        #expect(try await rest[1].get("/k/after")?.text == "v")

        stores[gone] = try await EmbeddedStore.open(options(gone, urls), network: .tcp())
        #expect(try await stores[gone].get("/k/after")?.text == "v")
        for store in stores { await store.close() }
    }

    @Test func `a member that is added joins with nothing, catches up, and is promoted and removed`() async throws {
        let urls = freeURLs(2)
        var options = options(0, [urls[0]])
        // Members need not have been in touch for 5 s before one goes.
        options.strictReconfiguration = false
        let founder = try await EmbeddedStore.open(options, network: .tcp())
        try await founder.fill("/k/", count: 100)
        await #expect(throws: EmbeddedStoreError.refused(.memberURLsInvalid)) {
            try await founder.addMember(peerURLs: [])
        }
        let id = try await founder.addMember(peerURLs: [urls[1]])
        var joining = StoreOptions(dataDirectory: directory.path + "/joined")
        joining.name = "joined"
        joining.peerURLs = [urls[1]]
        joining.clientURLs = []
        let joined = try await EmbeddedStore.open(joining, network: .tcp(joining: [urls[0]]))
        try await joined.untilReady()
        #expect(joined.status.memberID == id)
        #expect(joined.status.isLearner)
        await #expect(throws: EmbeddedStoreError.refused(.learnerNotSupported)) { try await joined.put("k", "v") }
        // Until its log is near enough to the leader's.
        while case .failure(let error) = await Result({ try await founder.promoteMember(id) }) {
            guard error as? EmbeddedStoreError == .refused(.learnerNotReady) else { throw error }
        }
        // It hears of it a moment after the founder has said so.
        while joined.status.isLearner { await Task.yield() }
        #expect(try await joined.count(.prefix("/k/")) == 100)
        let leaving = Task { try await joined.run() }
        try await founder.removeMember(id)
        await #expect(throws: EmbeddedStoreError.self) { try await leaving.value }
        #expect(founder.members.map(\.id) == [founder.status.memberID])
        try await founder.put("k", "v")
        await founder.close()
    }

    @Test func `without a majority local reads go on, and a change that waits can be given up`() async throws {
        let store = try await EmbeddedStore.open(options(0, freeURLs(3)), network: .tcp())
        #expect(!store.status.isLeader && store.status.leader == nil)
        let clock = ContinuousClock()
        let began = clock.now
        let (put, get) = (Task { try await store.put("k", "v") }, Task { try await store.get("k") })
        // Meanwhile they are on their way.
        for _ in 0..<100 { #expect(try await store.get("k", .local) == nil) }
        put.cancel()
        get.cancel()
        await #expect(throws: EmbeddedStoreError.canceled) { try await put.value }
        await #expect(throws: EmbeddedStoreError.canceled) { try await get.value }
        // Far from the time that a request has.
        #expect(clock.now - began < .seconds(5))
        // What nobody waits for any more is in nobody's way.
        await store.close()
    }

    @Test func `URLs that nobody can listen at are refused with a sentence`() async throws {
        let options = options(0, freeURLs(1))
        let error = await #expect(throws: StoreStartError.self) {
            try await EmbeddedStore.open(options, network: .tcp(listenURLs: ["127.0.0.1:1"]))
        }
        #expect(error?.description.contains("http://host:port") == true)
        let secure = await #expect(throws: StoreStartError.self) {
            try await EmbeddedStore.open(options, network: .tcp(listenURLs: ["https://127.0.0.1:1"]))
        }
        #expect(secure?.description.contains("https://127.0.0.1:1 asks for TLS") == true)
        let security = PeerSecurity(certificateFile: "/nonexistent", keyFile: "/nonexistent")
        let unreadable = await #expect(throws: StoreStartError.self) {
            try await EmbeddedStore.open(
                options, network: .tcp(listenURLs: ["https://127.0.0.1:1"], security: security))
        }
        #expect(unreadable?.description.contains("open /nonexistent: no such file") == true)
    }
}

/// URLs of ports that nobody listens at.
private func freeURLs(_ count: Int) -> [String] {
    (0..<count).map { _ in "http://127.0.0.1:\(FreePort.find())" }
}
