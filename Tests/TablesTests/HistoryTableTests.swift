import StrakeLMDB
import StrakeModel
import StrakeSeededGenerator
import StrakeTables
import Testing

private func record(_ main: Int64, _ sub: Int32 = 0, keyCount: Int = 20, valueCount: Int) -> EventRecord {
    var random = SeededGenerator(seed: UInt64(main) << 32 | UInt64(sub))
    let header = EventHeader(
        revision: Revision(main: main, sub: sub), isTombstone: valueCount == 1, createRevision: main - 1,
        version: main * 2, lease: LeaseID(rawValue: -main), previous: Revision(main: main / 2, sub: sub),
        link: ChainLink(depth: UInt64(main), jump: Revision(main: main / 3, sub: 5)))
    return EventRecord(
        header: header, key: random.bytes(count: keyCount), value: random.bytes(count: valueCount))
}

/// Around one row, two rows and more, and the largest that requests allow and beyond.
private let valueCounts = [
    0, 1, 300, 1_917, 1_918, 1_919, 1_920, 3_931, 3_932, 3_933, 5_946, 10_000, 65_536, 1_572_864, 4_194_304,
]

struct HistoryTableTests {
    let fixture: Fixture
    var history: HistoryTable { fixture.tables.history }

    init() throws { fixture = try Fixture() }

    func append(_ records: [EventRecord]) throws {
        try fixture.environment.write { txn throws(TableError) in
            var writer = try history.writer(in: txn)
            for record in records { try writer.append(record) }
        }
    }

    func all(from revision: Revision = .zero) throws(TableError) -> [EventRecord] {
        try fixture.environment.read { txn throws(TableError) in
            var cursor = try history.cursor(in: txn)
            var records: [EventRecord] = []
            var found = try cursor.seek(atOrAfter: revision)
            while found {
                records.append(EventRecord(try cursor.event()))
                found = try cursor.next()
            }
            return records
        }
    }

    func get(_ main: Int64, _ sub: Int32 = 0) throws(TableError) -> EventRecord? {
        try fixture.environment.read { txn throws(TableError) in
            try history.record(at: Revision(main: main, sub: sub), in: txn)
        }
    }

    @Test func `records of every size come back whole, without pages outside the tree`() throws {
        let records = valueCounts.enumerated().map { index, count in record(Int64(index + 1), valueCount: count) }
        try append(records)
        #expect(try all() == records)
        for record in records { #expect(try get(record.header.revision.main) == record) }
        #expect(try fixture.statistics(of: "history").overflowPages == 0)
    }

    @Test func `a key longer than a row comes back whole`() throws {
        let records = [record(1, keyCount: 5_000, valueCount: 10), record(2, keyCount: 2_100, valueCount: 9_000)]
        try append(records)
        #expect(try all() == records)
    }

    @Test func `rows of a long record fill their pages`() throws {
        try append([record(1, valueCount: 4_000_000)])
        let statistics = try fixture.statistics(of: "history")
        #expect(statistics.overflowPages == 0)
        // Two rows to a page of 4 KiB; bigger pages leave less room unused.
        let pageBytes = try fixture.environment.statistics().pageBytes
        #expect(statistics.leafPages * pageBytes < 4_000_000 * 103 / 100)
    }

    @Test func `events sort by main, then sub, and a walk may start anywhere`() throws {
        var records: [EventRecord] = []
        for main in [1, 2, 255, 256, 65_536, 1 << 40] as [Int64] {
            for sub in [0, 1, 255, 256, 70_000] as [Int32] { records.append(record(main, sub, valueCount: 2_500)) }
        }
        try append(records)
        #expect(try all() == records)
        #expect(try all(from: Revision(main: 255, sub: 256)) == Array(records[13...]))
        #expect(try all(from: Revision(main: 257)) == Array(records[20...]))
        #expect(try all(from: Revision(main: 1 << 41)) == [])
        try fixture.environment.read { txn throws(TableError) in
            let ends = [try history.first(in: txn), try history.last(in: txn)]
            #expect(ends == [Revision(main: 1), Revision(main: 1 << 40, sub: 70_000)])
        }
    }

    @Test func `an empty history has no ends`() throws {
        try fixture.environment.read { txn throws(TableError) in
            let first = try history.first(in: txn)
            let last = try history.last(in: txn)
            #expect(first == nil && last == nil)
        }
        #expect(try get(1) == nil)
        #expect(try all() == [])
    }

    @Test func `headers and keys can be walked without the values`() throws {
        let records = (1...50).map { record($0, keyCount: $0 == 9 ? 3_000 : 30, valueCount: Int($0) * 1_000) }
        try append(records)
        try fixture.environment.read { txn throws(TableError) in
            var cursor = try history.cursor(in: txn)
            for (index, record) in records.enumerated() {
                let found = try cursor.next()
                #expect(found)
                let header = cursor.header
                #expect(header == record.header)
                if index % 2 == 0 {
                    let key = [UInt8](try cursor.key())
                    #expect(key == record.key)
                }
                if index % 3 == 0 {
                    let event = EventRecord(try cursor.event())
                    #expect(event == record)
                }
            }
            let more = try cursor.next()
            #expect(!more)
        }
    }

    @Test func `writing the same events again changes nothing`() throws {
        let records = (1...40).map { record($0, valueCount: Int($0) * 200) }
        try append(records)
        let rows = try fixture.rows(of: "history").map(\.key)
        try append(Array(records[10...]))
        #expect(try all() == records)
        #expect(try fixture.rows(of: "history").map(\.key) == rows)
    }

    @Test func `a shorter event in a longer one's place leaves none of its rows behind`() throws {
        try append([record(1, valueCount: 100), record(2, valueCount: 20_000), record(3, valueCount: 100)])
        var shorter = record(2, valueCount: 3_000)
        shorter.header.version = 99
        try append([shorter])
        #expect(try get(2) == shorter)
        #expect(try fixture.rows(of: "history").count == 4)
    }

    @Test func `deleting an event takes all its rows and no others`() throws {
        let records = (1...30).map { record($0, valueCount: Int($0) * 700) }
        try append(records)
        try fixture.environment.write { txn throws(TableError) in
            var writer = try history.writer(in: txn)
            for main in stride(from: Int64(30), to: 0, by: -2) {
                let deleted = try writer.delete(Revision(main: main))
                let again = try writer.delete(Revision(main: main))
                #expect(deleted && !again)
            }
        }
        #expect(try all() == records.filter { $0.header.revision.main % 2 == 1 })
        try fixture.environment.write { txn throws(TableError) in
            var writer = try history.writer(in: txn)
            for main in Int64(1)...30 { _ = try writer.delete(Revision(main: main)) }
        }
        #expect(try fixture.rows(of: "history").isEmpty)
    }

    @Test func `random appends, rewrites and deletes agree with a model`() throws {
        var random = SeededGenerator(seed: 7)
        var model: [Int64: EventRecord] = [:]
        var next = Int64(1)
        for _ in 0..<60 {
            try fixture.environment.write { txn throws(TableError) in
                var writer = try history.writer(in: txn)
                for _ in 0..<20 {
                    switch random.next() % 4 {
                    case 0 where next > 1:
                        let main = Int64(random.next() % UInt64(next))
                        let deleted = try writer.delete(Revision(main: main))
                        #expect(deleted == (model.removeValue(forKey: main) != nil))
                    case 1 where !model.isEmpty:
                        let record = model[model.keys.min() ?? 0]
                        if let record { try writer.append(record) }
                    default:
                        let record = record(next, valueCount: Int(random.next() % 9_000))
                        model[next] = record
                        try writer.append(record)
                        next += 1
                    }
                }
            }
            #expect(try all() == model.keys.sorted().compactMap { model[$0] })
        }
        #expect(try fixture.statistics(of: "history").overflowPages == 0)
    }

    // MARK: Corruption

    private func corruption(_ main: Int64) -> [TableError.Corruption?] {
        let got = Result { () throws(TableError) in try get(main) }
        let walked = Result { () throws(TableError) in try all() }
        return [got.corruption, walked.corruption]
    }

    @Test(arguments: [10, 1_900, 5_000])
    func `any byte changed in any row is reported, not believed`(valueCount: Int) throws {
        try append([record(1, valueCount: valueCount)])
        for row in try fixture.rows(of: "history") {
            let step = row.value.count > 200 ? 37 : 1
            for index in stride(from: 0, to: row.value.count, by: step) {
                var value = row.value
                value[index] ^= 0x01
                try fixture.overwrite("history", row.key, value)
                #expect(corruption(1) == [.checksum, .checksum])
            }
            try fixture.overwrite("history", row.key, row.value)
        }
        #expect(corruption(1) == [nil, nil])
    }

    @Test func `a record in another revision's place is reported, by its header alone`() throws {
        try append([record(1, valueCount: 10), record(1, 1, valueCount: 10), record(2, valueCount: 10)])
        let rows = try fixture.rows(of: "history")
        for (place, moved) in [(0, 1), (0, 2), (1, 2), (2, 0)] {
            try fixture.overwrite("history", rows[place].key, rows[moved].value)
            let revision = Revision(main: place == 2 ? 2 : 1, sub: place == 1 ? 1 : 0)
            let header = Result { () throws(TableError) in
                try fixture.environment.read { txn throws(TableError) in try history.header(at: revision, in: txn) }
            }
            #expect(header.corruption == .checksum)
            try fixture.overwrite("history", rows[place].key, rows[place].value)
        }
    }

    @Test func `rows cut, lengthened, missing, moved or without a head are reported`() throws {
        try append([record(1, valueCount: 5_000), record(2, valueCount: 5_000)])
        let rows = try fixture.rows(of: "history")
        #expect(rows.count == 6)
        for row in rows[..<3] {
            for value in [Array(row.value.dropLast()), row.value + [0], []] {
                try fixture.overwrite("history", row.key, value)
                #expect(corruption(1).allSatisfy { $0 == .badLength || $0 == .truncated })
            }
            try fixture.overwrite("history", row.key, row.value)
        }
        for (index, row) in rows[..<3].enumerated() {
            try fixture.overwrite("history", row.key, nil)
            #expect(corruption(1) == (index == 0 ? [nil, .badKey] : [.missingChunk, .missingChunk]))
            try fixture.overwrite("history", row.key, row.value)
        }
        try fixture.overwrite("history", rows[0].key, rows[3].value)
        #expect(corruption(1) == [.checksum, .checksum])
        try fixture.overwrite("history", rows[0].key, rows[0].value)
        #expect(corruption(1) == [nil, nil])
        try fixture.overwrite("history", [1, 2, 3], [])
        #expect(corruption(1) == [nil, .badKey])
    }
}
