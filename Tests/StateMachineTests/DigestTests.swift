import StrakeLMDB
import StrakeMVCC
import StrakeModel
import StrakeRaft
import StrakeSeededGenerator
import StrakeStateMachine
import StrakeTables
import Testing

struct DigestTests {
    private static let entryCount = 1_500

    @Test func `machines have one digest at each entry, whatever became of them on the way`() throws {
        let first = SeededGenerator.seed(of: "digests")
        for seed in first..<first &+ 6 { try run(seed: seed) }
    }

    /// One machine applies all entries and does nothing else. Others checkpoint, compact, crash, start again and take over
    /// each other's state in between.
    private func run(seed: UInt64) throws {
        var entries = RandomEntries(seed: seed)
        let log = (0..<Self.entryCount).map { _ in entries.next() }
        let steady = try Machine()
        var digests: [LogIndex: StateDigest] = [steady.applied: steady.digest]
        for entry in log {
            try steady.apply(entry)
            digests[entry.index] = steady.digest
        }
        // About three of four entries change something; the others are refused.
        #expect(Set(digests.values.map(\.value)).count > Self.entryCount / 2)

        let others = [try Machine(), try Machine(), try Machine()]
        var random = SeededGenerator(seed: ~seed)
        var counts = (installs: 0, crashes: 0)
        func entry(after machine: Machine) -> Entry? {
            let position = Int(machine.applied.rawValue - Machine.founding.last.index.rawValue)
            return position < log.count ? log[position] : nil
        }
        func check(_ machine: Machine) {
            #expect(machine.digest == digests[machine.applied], "seed \(seed), entry \(machine.applied)")
            for digest in machine.digests { #expect(digest == digests[digest.index], "seed \(seed)") }
        }
        while others.contains(where: { entry(after: $0) != nil }) {
            let machine = others[random.below(others.count)]
            switch random.below(1_000) {
            case 0..<850: if let entry = entry(after: machine) { try machine.apply(entry) }
            case 850..<900: try machine.advanceCheckpoint()
            case 900..<950: try machine.compact(eventsMax: 1 + random.below(50))
            case 950..<990:
                let audit = try machine.advanceAudit(bytesMax: 1 + random.below(20_000))
                #expect(audit == nil || audit == .sound, "seed \(seed), entry \(machine.applied)")
            case 990..<996:
                try machine.restart()
                counts.crashes += 1
            default:
                let other = others[random.below(others.count)]
                guard other.applied > machine.applied else { continue }
                // A bounded number, or a stream in small pieces would never come to the end of a record.
                var interruptions = random.below(10)
                try machine.install(from: other, pieceBytes: 1 + random.below(10_000)) {
                    guard interruptions > 0, random.chance(20) else { return false }
                    interruptions -= 1
                    try other.compact(eventsMax: 1 + random.below(50))
                    return true
                }
                counts.installs += 1
            }
            check(machine)
        }
        for machine in others {
            try machine.checkpoint()
            try machine.restart()
            check(machine)
            try machine.compact(eventsMax: .max)
            while let audit = try machine.advanceAudit(bytesMax: 4_000) {
                #expect(audit == .sound, "seed \(seed)")
                break
            }
        }
        #expect(counts.installs > 0 && counts.crashes > 0 && others.contains { $0.audits > 0 }, "seed \(seed)")
    }

    @Test func `what was compared stays at hand, closer for the last entries than for old ones`() throws {
        let machine = try Machine()
        for index in 2...10_000 as ClosedRange<UInt64> {
            try machine.apply(Entry(index, .put(PutRequest(key: "k".bytes, value: []))))
        }
        let indexes = machine.digests.map(\.index.rawValue)
        #expect(indexes == indexes.sorted() && Set(indexes).count == indexes.count)
        #expect(indexes.last == 10_000)
        #expect(indexes.contains(9_984) && indexes.contains(4_096) && !indexes.contains(5_120))
    }

    // MARK: Damage

    private static let count: Int64 = 100

    /// A machine that has applied some puts, and one beside it.
    private func pair() throws -> (Machine, Machine) {
        let pair = (try Machine(), try Machine())
        for number in 1...Self.count {
            let entry = put(UInt64(number) + 1)
            try pair.0.apply(entry)
            try pair.1.apply(entry)
        }
        try pair.0.checkpoint()
        return pair
    }

    private func put(_ index: UInt64) -> Entry {
        Entry(index, .put(PutRequest(key: "key\(index % 10)".bytes, value: "value\(index)".bytes)))
    }

    @Test func `a wrong version that the file vouches for is found when the key is put again`() throws {
        let (damaged, other) = try pair()
        let key = "key5".bytes
        try damaged.tables.environment.write { txn throws(TableError) in
            var writer = try damaged.tables.current.writer(in: txn)
            try key.raw { key throws(TableError) in
                guard var entry = try writer.entry(for: key) else { return }
                entry.version += 1
                try writer.put(key, entry)
            }
        }
        try damaged.restart()
        #expect(damaged.digest == other.digest)
        for index in UInt64(Self.count) + 2...UInt64(Self.count) + 5 {
            let entry = put(index)
            try damaged.apply(entry)
            try other.apply(entry)
            #expect((damaged.digest == other.digest) == (index < 105), "entry \(index)")
        }
    }

    @Test func `an audit finds another value, an event too few and one too many`() throws {
        try check { tables, record in
            try Self.append(EventRecord(header: record.header, key: record.key, value: "other".bytes), to: tables)
        }
        try check { tables, record in try Self.delete(record.header.revision, from: tables) }
        try check { tables, record in
            var header = record.header
            header.revision.sub = 1
            try Self.append(EventRecord(header: header, key: record.key, value: record.value), to: tables)
        }
    }

    @Test(arguments: ["history", "current", "state"])
    func `an audit finds a flipped bit in any row of a table`(table: String) throws {
        let (damaged, _) = try pair()
        let environment = damaged.tables.environment
        let rows = try Self.rows(of: table, in: environment)
        #expect(rows.count >= 3)
        var random = SeededGenerator(seed: 7)
        for (key, value) in rows.prefix(40) {
            var changed = value
            changed[random.below(value.count)] ^= 1 << UInt8(random.below(8))
            try Self.put(key, changed, into: table, of: environment)
            let error = #expect(throws: MVCCError.self) { try damaged.advanceAudit(bytesMax: .max) }
            guard case .storage(.corruptRecord(table, _, _)) = error else {
                Issue.record("\(key): \(String(describing: error))")
                return
            }
            try Self.put(key, value, into: table, of: environment)
        }
        #expect(try damaged.advanceAudit(bytesMax: .max) == .sound)
    }

    @Test func `an audit finds keys that current does not know any more`() throws {
        let (damaged, _) = try pair()
        let tables = damaged.tables
        for key in ["key3", "key7"].map(\.bytes) {
            var removed: CurrentEntry?
            try tables.environment.write { txn throws(TableError) in
                var writer = try tables.current.writer(in: txn)
                try key.raw { key throws(TableError) in
                    removed = try writer.entry(for: key)
                    _ = try writer.delete(key)
                }
            }
            let error = #expect(throws: MVCCError.self) { try damaged.advanceAudit(bytesMax: .max) }
            #expect(error == .storage(.corruptRecord(table: "current", key: key, reason: .missingKey)))
            // An older event of the key, as after a lost page.
            var older = try #require(removed)
            older.modRevision.main -= 10
            try tables.environment.write { txn throws(TableError) in
                var writer = try tables.current.writer(in: txn)
                try key.raw { key throws(TableError) in try writer.put(key, older) }
            }
            let second = #expect(throws: MVCCError.self) { try damaged.advanceAudit(bytesMax: .max) }
            #expect(second == .storage(.corruptRecord(table: "current", key: key, reason: .missingKey)))
            try tables.environment.write { txn throws(TableError) in
                var writer = try tables.current.writer(in: txn)
                try key.raw { key throws(TableError) in
                    guard let removed else { return }
                    try writer.put(key, removed)
                }
            }
        }
        #expect(try damaged.advanceAudit(bytesMax: .max) == .sound)
    }

    private static func rows(
        of table: String, in environment: Environment
    ) throws -> [(key: [UInt8], value: [UInt8])] {
        try environment.read { txn throws(LMDBError) in
            var cursor = try txn.cursor(in: environment.table(table))
            var rows: [(key: [UInt8], value: [UInt8])] = []
            while try cursor.next() { rows.append(([UInt8](cursor.key), [UInt8](cursor.value))) }
            return rows
        }
    }

    private static func put(
        _ key: [UInt8], _ value: [UInt8], into table: String, of environment: Environment
    ) throws {
        try environment.write { txn throws(LMDBError) in
            try key.raw { key throws(LMDBError) in
                try value.raw { value throws(LMDBError) in try txn.put(key, value, in: environment.table(table)) }
            }
        }
    }

    /// An audit tells a machine from the same one whose file was changed.
    private func check(_ change: (StoreTables, EventRecord) throws -> Void) throws {
        let (damaged, _) = try pair()
        #expect(try damaged.advanceAudit(bytesMax: .max) == .sound)
        let tables = damaged.tables
        let record = try tables.environment.read { txn throws(TableError) in
            try tables.history.record(at: Revision(main: 50), in: txn)
        }
        try change(tables, try #require(record))
        try damaged.restart()
        #expect(try damaged.advanceAudit(bytesMax: .max) == .historyDiffers)
    }

    private static func append(_ record: EventRecord, to tables: StoreTables) throws {
        try tables.environment.write { txn throws(TableError) in
            var writer = try tables.history.writer(in: txn)
            try writer.append(record)
        }
    }

    private static func delete(_ revision: Revision, from tables: StoreTables) throws {
        try tables.environment.write { txn throws(TableError) in
            var writer = try tables.history.writer(in: txn)
            _ = try writer.delete(revision)
        }
    }
}
