internal import StrakeLog
internal import StrakeRaft
internal import StrakeSimulatedDisk
internal import Testing

struct DurableLogTests {
    @Test func `a new log is empty and starts before the first entry`() throws {
        let log = try LogFixture().open()
        #expect(log.firstIndex == LogIndex(rawValue: 1))
        #expect(log.lastIndex == .zero)
        #expect(log.start == .zero)
        #expect(log.hardState == HardState())
        #expect(log.snapshot == nil)
        #expect(log.repair == nil)
        #expect(try log.allEntries().isEmpty)
    }

    @Test func `what was synced is there when the log is opened again`() throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        let state = makeHardState(2, vote: 3, committed: 2)
        let entries = [
            Entry(id: entryID(1, 1), kind: .empty, data: []),
            Entry(id: entryID(1, 2), kind: .configuration, data: [1, 2, 3]),
            Entry(id: entryID(2, 3), kind: .command, data: [UInt8](repeating: 0, count: 700)),
        ]
        try log.appendSynced(entries, state)
        try log.close()

        let again = try fixture.open()
        #expect(try again.allEntries() == entries)
        #expect(again.hardState == state)
        #expect(again.last == entryID(2, 3))
        #expect(again.repair == nil)
    }

    @Test func `later entries at or below the last index supersede those there`() throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        try log.appendSynced(makeEntries(1, 1...10), makeHardState(1, committed: 3))
        try log.appendSynced(makeEntries(2, 5...6), makeHardState(2, committed: 3))
        let expected = makeEntries(1, 1...4) + makeEntries(2, 5...6)
        #expect(try log.allEntries() == expected)
        #expect(try log.term(at: LogIndex(rawValue: 4)).rawValue == 1)
        #expect(try log.term(at: LogIndex(rawValue: 5)).rawValue == 2)

        let again = try fixture.reopen()
        #expect(try again.allEntries() == expected)
        #expect(again.lastIndex.rawValue == 6)
    }

    @Test func `entries that supersede others may reach back into earlier segments`() throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        try log.append(entries: [], hardState: makeHardState(1))
        for index in UInt64(1)...40 { try log.appendSynced([makeEntry(1, index, bytes: 300)]) }
        #expect(try fixture.segments().count > 3)
        try log.appendSynced(makeEntries(3, 2...4), makeHardState(3))
        let expected = [makeEntry(1, 1, bytes: 300)] + makeEntries(3, 2...4)
        #expect(try log.allEntries() == expected)
        #expect(try fixture.reopen().allEntries() == expected)
    }

    @Test(
        "reading stops at the limit but gives at least one entry",
        arguments: [
            (1, 5, 1, [1]), (1, 5, 0, [1]), (1, 5, 112, [1, 2]), (1, 5, 111, [1]), (2, 4, 10_000, [2, 3, 4]),
            (5, 5, 56, [5]),
        ] as [(UInt64, UInt64, Int, [UInt64])])
    func limits(from: UInt64, through: UInt64, limitBytes: Int, indexes: [UInt64]) throws {
        let log = try LogFixture().open()
        // Each takes 16 + 16 + 20 + 4 bytes.
        try log.append(entries: makeEntries(1, 1...5), hardState: makeHardState(1))
        let entries = try log.entries(
            from: LogIndex(rawValue: from), through: LogIndex(rawValue: through), limitBytes: limitBytes)
        #expect(entries.map(\.index.rawValue) == indexes)
    }

    @Test func `an index that is not in the log has its own error`() throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        try log.replaceAll(with: makeSnapshot(3, 10))
        try log.append(entries: makeEntries(3, 11...12))
        let (nine, thirteen) = (LogIndex(rawValue: 9), LogIndex(rawValue: 13))
        #expect(try log.term(at: LogIndex(rawValue: 10)).rawValue == 3)
        #expect(throws: LogError.compacted(requested: nine, firstIndex: LogIndex(rawValue: 11))) {
            try log.term(at: nine)
        }
        #expect(throws: LogError.compacted(requested: nine, firstIndex: LogIndex(rawValue: 11))) {
            try log.entries(from: nine, through: LogIndex(rawValue: 11), limitBytes: 1)
        }
        #expect(throws: LogError.unavailable(requested: thirteen, lastIndex: LogIndex(rawValue: 12))) {
            try log.entries(from: LogIndex(rawValue: 11), through: thirteen, limitBytes: 1)
        }
    }

    @Test func `a batch larger than a segment is written whole`() throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        let entries = makeEntries(1, 1...3) + [makeEntry(1, 4, bytes: 20_000)] + makeEntries(1, 5...6)
        try log.appendSynced(entries, makeHardState(1))
        try log.appendSynced(makeEntries(1, 7...8))
        #expect(try log.allEntries() == entries + makeEntries(1, 7...8))
        #expect(try fixture.reopen().allEntries() == entries + makeEntries(1, 7...8))
    }

    @Test func `two opens of one directory do not meet`() throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        #expect(throws: LogError.locked(path: LogFixture.directory)) { try fixture.open() }
        try log.close()
        #expect(throws: Never.self) { try fixture.open() }
        #expect(throws: LogError.closed) { try log.append(entries: [], hardState: makeHardState(1)) }
    }

    @Test func `another member's log is refused`() throws {
        let fixture = try LogFixture()
        try fixture.open().close()
        let other = MemberIdentity(cluster: 0xabc, member: MemberID(rawValue: 2))
        let path = try #require(try fixture.segments().first)
        #expect(throws: LogError.foreignLog(path: path, expected: other, found: identity)) {
            try DurableLog(directory: LogFixture.directory, on: fixture.disk, identity: other)
        }
    }

    @Test func `a log that must be there is not created`() throws {
        var fixture = try LogFixture()
        fixture.options.mayCreate = false
        #expect(throws: LogError.missingLog(path: LogFixture.directory)) { try fixture.open() }
    }
}
