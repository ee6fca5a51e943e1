import StrakeLMDB
import StrakeModel
import StrakeSeededGenerator
import StrakeTables
import Testing

/// A key's chain of events, built as the store builds it.
private struct Chain {
    var headers: [Revision: EventHeader] = [:]
    var newest: EventHeader?
    var lookUps = 0

    mutating func append(_ main: Int64, sub: Int32 = 0, compactRevision: Int64 = 0) -> EventHeader {
        let revision = Revision(main: main, sub: sub)
        var link = ChainLink.first
        if let newest {
            link = ChainLink.following(newest.revision, newest.link, compactRevision: compactRevision) { older in
                lookUps += 1
                #expect(older.main > compactRevision)
                return headers[older]?.link ?? .first
            }
        }
        let header = EventHeader(
            revision: revision, createRevision: 1, version: 1, previous: newest?.revision ?? .zero, link: link)
        headers[revision] = header
        newest = header
        return header
    }

    /// The event that a read at `main` finds, and the steps to it.
    func walk(to main: Int64) -> (found: Revision?, steps: Int) {
        guard var header = newest else { return (nil, 0) }
        var steps = 0
        while header.revision.main > main {
            steps += 1
            let next = header.link.predecessor(previous: header.previous, for: main)
            guard let found = headers[next] else { return (nil, steps) }
            header = found
        }
        return (header.revision, steps)
    }
}

struct ChainTests {
    /// For 100,000 versions: a block, and three for each doubling that makes 6,250 blocks of one, with one to spare.
    static let stepsMax = 16 + 3 * 14

    @Test func `any of 100,000 versions is found in a logarithm of steps`() {
        var chain = Chain()
        // Revisions of the key are 3 apart: reads fall between them as well.
        for number in Int64(1)...100_000 { _ = chain.append(number * 3) }
        var worst = 0
        var total = 0
        for main in Int64(3)...300_002 {
            let (found, steps) = chain.walk(to: main)
            if found != Revision(main: main / 3 * 3) {
                Issue.record("read at \(main) found \(String(describing: found))")
            }
            worst = max(worst, steps)
            total += steps
        }
        #expect(worst <= Self.stepsMax, "worst \(worst)")
        #expect(total / 300_000 < 40, "mean \(total / 300_000)")
        #expect(chain.walk(to: 2).found == nil)
        // Building it looked up little: two headers at every other start of a block.
        #expect(chain.lookUps <= 100_000 / 16)
    }

    @Test func `of several events of a key in one revision, a read finds the last`() {
        var random = SeededGenerator(seed: 9)
        var chain = Chain()
        var last: [Int64: Int32] = [:]
        for main in Int64(1)...3_000 {
            last[main] = Int32(random.next() % 3)
            for sub in 0...(last[main] ?? 0) { _ = chain.append(main, sub: sub) }
        }
        for main in Int64(1)...3_000 {
            #expect(chain.walk(to: main).found == Revision(main: main, sub: last[main] ?? 0))
        }
    }

    @Test func `a chain whose older part is compacted still finds every revision that may be read`() {
        var random = SeededGenerator(seed: 3)
        var chain = Chain()
        var compact = Int64(0)
        for main in Int64(1)...5_000 {
            _ = chain.append(main, compactRevision: compact)
            if random.next() % 200 == 0 {
                compact = max(compact, main - Int64(random.next() % 300))
                // The newest event at or before the compact revision stays.
                for old in chain.headers.keys where old.main < compact { chain.headers[old] = nil }
            }
            if main % 7 == 0 {
                let read = max(compact, 1) + Int64(random.next() % UInt64(main - compact + 1))
                if read <= main { #expect(chain.walk(to: read).found == Revision(main: read)) }
            }
        }
        #expect(compact > 4_000)
    }

    @Test func `links do not depend on how far compaction has removed`() {
        var kept = Chain()
        var pruned = Chain()
        for main in Int64(1)...2_000 {
            let compact = main / 500 * 450
            let one = kept.append(main, compactRevision: compact)
            let other = pruned.append(main, compactRevision: compact)
            #expect(one == other)
            for old in pruned.headers.keys where old.main < compact { pruned.headers[old] = nil }
        }
    }

    @Test func `a walk in the table takes as many look-ups as in the model`() throws {
        let fixture = try Fixture()
        let history = fixture.tables.history
        var chain = Chain()
        let records = (1...100_000).map { main in
            EventRecord(header: chain.append(main), key: [1], value: [UInt8](repeating: 2, count: 50))
        }
        try fixture.environment.write { txn throws(TableError) in
            var writer = try fixture.tables.history.writer(in: txn)
            for record in records { try writer.append(record) }
        }
        var random = SeededGenerator(seed: 5)
        let newest = try #require(chain.newest)
        try fixture.environment.read { txn throws(TableError) in
            for _ in 0..<2_000 {
                let main = Int64(1 + random.next() % 100_000)
                var lookUps = 0
                let found = try history.walk(from: newest, atOrBefore: main, in: txn) { _ in lookUps += 1 }
                #expect(found?.revision == Revision(main: main))
                #expect(lookUps == chain.walk(to: main).steps)
                #expect(lookUps <= Self.stepsMax)
            }
            let beforeAll = try history.walk(from: newest, atOrBefore: 0, in: txn)
            #expect(beforeAll == nil)
        }
    }
}
