import StrakeMVCC
import StrakeModel
import Testing

struct PlanTests {
    let fixture: StoreFixture

    init() throws { fixture = try StoreFixture() }

    private func plan(_ request: RangeRequest) throws -> RangePlan {
        try fixture.reader.withView { view throws(MVCCError) in
            try view.plan(request) { $0.keyCount + $0.valueCount + 1 }
        }
    }

    /// The rest of the answer, in slices, with `between` run after each.
    private func read(_ plan: consuming RangePlan, budget: Int, between: () throws -> Void = {}) throws -> [String] {
        var plan = plan
        var seen: [String] = []
        while true {
            let isDone = try fixture.reader.withView { view throws(MVCCError) in
                try view.next(&plan, byteBudget: budget) {
                    seen.append("\([UInt8]($0.key).text)=\([UInt8]($0.value).text)")
                }
            }
            if isDone { return seen }
            try between()
        }
    }

    @Test(arguments: [1, 100, 1_000_000])
    func `slices make up the answer`(budget: Int) throws {
        for number in 100..<200 {
            try fixture.put("k\(number)", "\(number * number)")
            if number == 150 { try fixture.checkpoint() }
        }
        fixture.publish()
        var request = RangeRequest(range: KeyRange(key: "k".bytes, rangeEnd: "l".bytes))
        let expected = (100..<200).map { "k\($0)=\($0 * $0)" }
        let whole = try plan(request)
        #expect(whole.count == 100 && whole.returned == 100 && !whole.more && whole.headerRevision == 101)
        #expect(whole.bytes == expected.reduce(0) { $0 + $1.utf8.count })
        #expect(try read(whole, budget: budget) == expected)

        request.limit = 7
        request.minModRevision = 12
        let limited = try plan(request)
        #expect(limited.count == 100 && limited.returned == 7 && limited.more)
        #expect(try read(limited, budget: budget) == Array(expected[10..<17]))

        request.sortOrder = .descending
        let sorted = try plan(request)
        #expect(sorted.bytes == 7 * 10)
        #expect(try read(sorted, budget: budget) == Array(expected.reversed()[..<7]))

        request.keysOnly = true
        #expect(try plan(request).bytes == 7 * 5)
        #expect(try read(try plan(request), budget: budget) == (193..<200).reversed().map { "k\($0)=" })
    }

    @Test func `a slice ends at its keys or at its bytes, whichever comes first`() throws {
        for number in 100..<130 { try fixture.put("k\(number)", String(repeating: "v", count: 100)) }
        fixture.publish()
        var sorted = RangeRequest(range: .all)
        sorted.sortTarget = .modRevision
        sorted.sortOrder = .descending
        for request in [RangeRequest(range: .all), sorted] {
            var plan = try plan(request)
            var counts: [Int] = []
            for (keysMax, budget) in [(1, 1_000_000), (7, 1_000_000), (7, 300), (7, 0), (.max, 300), (.max, 1_000_000)]
            {
                var count = 0
                let isDone = try fixture.reader.withView { view throws(MVCCError) in
                    try view.next(&plan, keysMax: keysMax, byteBudget: budget) { _ in count += 1 }
                }
                counts.append(count)
                #expect(isDone == (counts.count == 6))
            }
            // 136 are counted for each key.
            #expect(counts == [1, 7, 3, 1, 3, 15])
        }
    }

    @Test func `a planned answer stays the same whatever happens between its slices`() throws {
        for number in 100..<200 { try fixture.put("k\(number)", "old") }
        try fixture.checkpoint()
        var sorted = RangeRequest(range: .all)
        sorted.sortTarget = .modRevision
        sorted.sortOrder = .descending
        let expected = (100..<200).map { "k\($0)=old" }
        for (request, expected) in [(RangeRequest(range: .all), expected), (sorted, expected.reversed())] {
            let first = try plan(request)
            var round = 0
            let seen = try read(first, budget: 300) {
                round += 1
                for number in 50..<250 where number % 3 != round % 3 { try fixture.put("k\(number)", "new") }
                try fixture.delete("k\(round % 3 + 110)", to: "k180")
                try fixture.compact(through: fixture.revision)
                try fixture.checkpoint()
                #expect(try fixture.compactPhysically().last == .held)
            }
            #expect(seen == Array(expected))
            #expect(round > 5)
            for number in 50..<100 { try fixture.delete("k\(number)") }
            for number in 200..<250 { try fixture.delete("k\(number)") }
            for number in 100..<200 { try fixture.put("k\(number)", "old") }
            fixture.publish()
        }
        // The plans are gone, and their holds with them.
        #expect(try fixture.compactPhysically().last == .finished)
    }

    @Test func `a million-fold limit is no promise of memory`() throws {
        for number in 0..<3_000 { try fixture.put("k\(number)", "\(number % 10)") }
        fixture.publish()
        var request = RangeRequest(range: .all)
        request.sortTarget = .value
        request.sortOrder = .descending
        request.limit = 3
        let plan = try plan(request)
        #expect(plan.count == 3_000 && plan.more)
        #expect(try read(plan, budget: 10) == ["k1009=9", "k1019=9", "k1029=9"])
        request.limit = .max
        #expect(try self.plan(request).returned == 3_000)
    }
}
