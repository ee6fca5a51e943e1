import StrakeMVCC
import StrakeModel
import Testing

/// Answers marked "measured" are those of etcd 3.4.23.
struct RangeTests {
    let fixture: StoreFixture

    init() throws {
        fixture = try StoreFixture()
        // Versions: k1 3, k2 1, k3 2, k4 1. Revisions 2...8.
        for (key, count) in [("k1", 3), ("k2", 1), ("k3", 2), ("k4", 1)] {
            for number in 0..<count { try fixture.put(key, "v\(number)") }
        }
        fixture.publish()
    }

    /// The answer over all four keys, as text.
    private func keys(
        limit: Int64 = 0, _ order: RangeRequest.SortOrder = .none, by target: RangeRequest.SortTarget = .key,
        mod: (Int64, Int64) = (0, 0), create: (Int64, Int64) = (0, 0), countOnly: Bool = false
    ) throws -> String {
        let response = try fixture.range("k", to: "l") { request in
            request.limit = limit
            request.sortOrder = order
            request.sortTarget = target
            (request.minModRevision, request.maxModRevision) = mod
            (request.minCreateRevision, request.maxCreateRevision) = create
            request.countOnly = countOnly
        }
        let keys = response.keyValues.map(\.key.text).joined(separator: " ")
        return "\(keys)\(response.more ? " more" : "") of \(response.count)"
    }

    @Test func `a range end names one key, a prefix, all above or everything`() throws {
        #expect(try fixture.range("k2").count == 1)
        #expect(try fixture.range("k2", to: "k4").keyValues.map(\.key.text) == ["k2", "k3"])
        #expect(try fixture.range("k3", to: "\0").keyValues.map(\.key.text) == ["k3", "k4"])
        #expect(try fixture.range("\0", to: "\0").count == 4)
        #expect(try fixture.range("k3", to: "k1") == RangeResponse())
    }

    @Test func `the count is of the whole range whatever limit and filters say`() throws {
        #expect(try keys(limit: 2) == "k1 k2 more of 4")
        #expect(try keys(limit: 4) == "k1 k2 k3 k4 of 4")
        #expect(try keys(mod: (5, 0)) == "k2 k3 k4 of 4")
        // Measured, as is the next.
        #expect(try keys(limit: 1, mod: (5, 0)) == "k2 more of 4")
        #expect(try keys(limit: 1, countOnly: true) == " of 4")
    }

    @Test func `filters bound mod and create revisions, both ends included`() throws {
        #expect(try keys(mod: (5, 7)) == "k2 k3 of 4")
        #expect(try keys(create: (5, 6)) == "k2 k3 of 4")
        #expect(try fixture.range("k1") { $0.maxModRevision = 3 } == RangeResponse(count: 1))
    }

    @Test func `answers are sorted before the limit cuts`() throws {
        #expect(try keys(.descending) == "k4 k3 k2 k1 of 4")
        // Measured, as are the next two.
        #expect(try keys(limit: 2, .descending) == "k4 k3 more of 4")
        #expect(try keys(limit: 2, .ascending, by: .version) == "k2 k4 more of 4")
        #expect(try keys(by: .version) == "k2 k4 k3 k1 of 4")
        #expect(try keys(.descending, by: .modRevision) == "k4 k3 k2 k1 of 4")
        #expect(try keys(.descending, by: .createRevision) == "k4 k3 k2 k1 of 4")
        #expect(try keys(.descending, by: .value) == "k1 k3 k2 k4 of 4")
    }

    @Test func `a sort target without an order sorts what the limit left`() throws {
        // Measured: three keys are read, sorted, and then cut to two.
        #expect(try keys(limit: 2, by: .version) == "k2 k3 more of 4")
        // A filter makes it read everything.
        #expect(try keys(limit: 2, by: .version, mod: (1, 0)) == "k2 k4 more of 4")
    }

    @Test func `long values sort by all of their bytes`() throws {
        let start = String(repeating: "x", count: 40)
        for (key, end) in [("s1", "b"), ("s2", ""), ("s3", "ab"), ("s4", "a")] { try fixture.put(key, start + end) }
        fixture.publish()
        let sorted = try fixture.range("s", to: "t") {
            $0.sortOrder = .ascending
            $0.sortTarget = .value
        }
        #expect(sorted.keyValues.map(\.key.text) == ["s2", "s4", "s3", "s1"])
    }

    @Test func `keys only leaves out the values`() throws {
        let response = try fixture.range("k", to: "l") {
            $0.keysOnly = true
            $0.sortOrder = .descending
        }
        #expect(response.keyValues.map(\.value) == [[], [], [], []])
        #expect(response.keyValues.last?.version == 3)
        #expect(try fixture.range("k1") { $0.keysOnly = true }.keyValues.first?.value == [])
    }

    @Test func `a read below the compact revision or above the newest is refused`() throws {
        try fixture.compact(through: 4)
        fixture.publish()
        #expect(throws: MVCCError.refused(.compacted(requested: 3, compactRevision: 4))) {
            try fixture.range("k1", at: 3)
        }
        #expect(try fixture.range("k1", at: 4).count == 1)
        #expect(throws: MVCCError.refused(.futureRevision(requested: 9, current: 8))) {
            try fixture.range("k1", at: 9)
        }
        #expect(try fixture.range("k1", at: -5).keyValues.first?.version == 3)
    }
}
