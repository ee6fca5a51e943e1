import StrakeStore
import Testing

struct ReadTests {
    @Test func `pages of a range end at the limit or the bytes, and go on at their revision`() async throws {
        var limits = EmbeddedStore.Limits()
        limits.pageBytes = 64 << 10
        try await withStore(limits: limits) { store in
            try await store.fill("/k/", count: 500, bytes: 1_000)
            let revision = store.revision
            var request: RangeRequest? = RangeRequest(range: .prefix("/k/"))
            var (keys, pages): ([String], Int) = ([], 0)
            while let asked = request {
                let page = try await store.range(asked)
                #expect(page.revision == revision)
                #expect(page.keyValues.count < 100)
                #expect(page.hasMore == (page.next != nil))
                keys += page.keyValues.map(\.keyText)
                pages += 1
                request = page.next
                // What changes meanwhile is not seen.
                try await store.delete("/k/000499")
            }
            #expect(pages > 5)
            #expect(keys == (0..<500).map { "/k/" + String(1_000_000 + $0).dropFirst() })
            let first = try await store.range(.prefix("/k/"), limit: 3)
            #expect(first.keyValues.count == 3)
            #expect(first.count == 499)
            #expect(first.hasMore)
            #expect(try await store.range(try #require(first.next)).keyValues.map(\.keyText).first == "/k/000003")
            #expect(try await store.count(.prefix("/k/")) == 499)
        }
    }

    @Test func `another order than that of keys is whole on its page, or refused`() async throws {
        var limits = EmbeddedStore.Limits()
        limits.pageBytes = 10_000
        try await withStore(limits: limits) { store in
            try await store.fill("/k/", count: 50, bytes: 1_000)
            var request = RangeRequest(range: .prefix("/k/"))
            request.sortTarget = .key
            request.sortOrder = .descending
            await #expect(throws: EmbeddedStoreError.answerTooLarge(bytesMax: 10_000)) {
                try await store.range(request)
            }
            request.limit = 5
            let page = try await store.range(request)
            #expect(page.keyValues.map(\.keyText) == (45..<50).reversed().map { "/k/0000\($0)" })
            #expect(page.hasMore && page.next == nil)
            request.limit = 0
            var keys: [String] = []
            for try await keyValue in try await store.scan(request) { keys.append(keyValue.keyText) }
            #expect(keys.count == 50 && keys.first == "/k/000049" && keys.last == "/k/000000")
        }
    }

    @Test func `a scan sees its revision whatever is changed and compacted meanwhile`() async throws {
        var limits = EmbeddedStore.Limits()
        limits.scanPieceBytes = 16 << 10
        try await withStore(limits: limits) { store in
            try await store.fill("/k/", count: 300, bytes: 1_000)
            let scan = try await store.scan(.prefix("/k/"))
            #expect((scan.returned, scan.count, scan.revision) == (300, 300, 301))
            var iterator = scan.makeAsyncIterator()
            #expect(try await iterator.next()?.keyText == "/k/000000")
            try await store.delete(.all)
            try await store.compact(through: store.revision)
            var count = 1
            while let keyValue = try await iterator.next() {
                #expect(keyValue.value.count == 1_000)
                count += 1
            }
            #expect(count == 300)
            #expect(try await iterator.next() == nil)
        }
    }

    @Test func `a scan that nobody reads lets its revision go`() async throws {
        var limits = EmbeddedStore.Limits()
        limits.scanPieceBytes = 1
        limits.scanStallSeconds = 1
        try await withStore(limits: limits) { store in
            try await store.fill("/k/", count: 10)
            let scan = try await store.scan(.prefix("/k/"))
            var iterator = scan.makeAsyncIterator()
            #expect(try await iterator.next()?.keyText == "/k/000000")
            try await store.delete(.all)
            // Answered when nobody holds the revision any more.
            try await store.compact(through: store.revision, wait: .forSpace)
            let next = await Result { try await iterator.next() }
            #expect(throws: EmbeddedStoreError.scanStalled) { try next.get() }
        }
    }

    @Test func `a local read needs no leader's word`() async throws {
        try await withStore { store in
            try await store.put("k", "v")
            #expect(try await store.get("k", .local)?.text == "v")
            var request = RangeRequest(range: .all)
            request.isSerializable = true
            #expect(try await store.range(request).keyValues.count == 1)
        }
    }

    @Test func `ranges are named by prefix, start and end`() {
        #expect(KeyRange.prefix("ab") == KeyRange(lower: [97, 98], upper: .before([97, 99])))
        #expect(KeyRange.prefix([1, 0xFF] as [UInt8]) == KeyRange(lower: [1, 0xFF], upper: .before([2])))
        #expect(KeyRange.prefix([0xFF] as [UInt8]) == KeyRange(lower: [0xFF], upper: .unbounded))
        #expect(KeyRange.prefix("") == .all)
        #expect(KeyRange.from("b") == KeyRange(lower: [98], upper: .unbounded))
        #expect(KeyRange.keys(from: "a", before: "c") == KeyRange(lower: [97], upper: .before([99])))
    }
}
