import StrakePeers
import StrakeStore
import StrakeTemporaryDirectory
import Testing

/// The code of the library's articles that is not the sample service's, run.
struct GuideTests {
    private let root = TemporaryDirectory(in: .memory)
    private var directory: String { root.path + "/data" }

    @Test func `first steps`() async throws {
        let store = try await EmbeddedStore.open(directory: directory)
        let put = try await store.put("/boats/1", "sloop")
        try await store.put("/boats/1", "ketch")
        let now = try await store.get("/boats/1")
        let then = try await store.get("/boats/1", at: put.revision)
        print(now?.text ?? "none", then?.text ?? "none")  // ketch sloop
        await store.close()
        #expect((now?.text, then?.text) == ("ketch", "sloop"))
    }

    @Test func `pages`() async throws {
        try await withStore { store in
            try await store.fill("/boats/", count: 25)
            var keys: [String] = []
            var request: RangeRequest? = RangeRequest(range: .prefix("/boats/"))
            request?.limit = 10
            while let asked = request {
                let page = try await store.range(asked)
                keys += page.keyValues.map(\.keyText)
                request = page.next
            }
            #expect(keys.count == 25)
        }
    }

    @Test func `what may have happened`() async throws {
        try await withStore { store in
            func putOnce(_ key: String, _ value: String) async throws {
                do throws(EmbeddedStoreError) {
                    try await store.put(key, value)
                } catch {
                    guard error.mayHaveHappened else { throw error }
                    // Look before it is tried again.
                    if try await store.get(key)?.text != value { throw error }
                }
            }
            try await putOnce("k", "v")
            #expect(try await store.get("k")?.text == "v")
        }
    }

    @Test func `beginning anew after a compaction`() async throws {
        try await withStore { store in
            for number in 0..<10 { try await store.put("/boats/\(number)", "v") }
            try await store.compact(through: store.revision)
            var seen: [String] = []
            var options = EmbeddedStore.WatchOptions()
            options.startRevision = 2
            let watch: EmbeddedStore.Watch
            do throws(EmbeddedStoreError) {
                watch = try await store.watch(.prefix("/boats/"), options)
            } catch {
                guard case .refused(.compacted) = error else { throw error }
                let scan = try await store.scan(.prefix("/boats/"))
                for try await keyValue in scan { seen.append(keyValue.keyText) }
                options.startRevision = scan.revision + 1
                watch = try await store.watch(.prefix("/boats/"), options)
            }
            #expect(seen.count == 10)
            try await store.put("/boats/10", "v")
            var updates = watch.makeAsyncIterator()
            #expect(try await updates.events(1).map(\.keyValue.keyText) == ["/boats/10"])
        }
    }

    @Test func `one of three`() throws {
        func member(_ number: Int, directory: String) -> StoreOptions {
            var options = StoreOptions(dataDirectory: directory)
            options.name = "m\(number)"
            options.initialMembers = (1...3).map { other in
                InitialMember(name: "m\(other)", peerURLs: ["http://10.0.0.\(other):2380"])
            }
            options.peerURLs = ["http://10.0.0.\(number):2380"]
            return options
        }
        func open(_ options: StoreOptions) async throws -> EmbeddedStore {
            let store = try await EmbeddedStore.open(options, network: .tcp())
            try await store.untilReady()
            return store
        }
        #expect(member(2, directory: directory).initialMembers.count == 3)
        // That it opens is EmbeddedClusterTests' to show, at addresses that this machine has.
        _ = open
    }
}
