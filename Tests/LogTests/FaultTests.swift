internal import Glibc
internal import StrakeLog
internal import StrakeRaft
internal import StrakeSimulatedDisk
internal import Testing

struct FaultTests {
    @Test(
        "a failed write or sync is final",
        arguments: [(DiskError.Operation.write, EIO), (.write, ENOSPC), (.sync, EIO), (.sync, ENOSPC)])
    func failureIsFinal(operation: DiskError.Operation, code: Int32) throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        try log.appendSynced(makeEntries(1, 1...3), makeHardState(1))
        fixture.disk.fail(operation, errno: code)
        let path = try #require(try fixture.segments().last)
        let error = LogError.disk(DiskError(operation: operation, path: path, errno: code))
        #expect(throws: error) { try log.appendSynced(makeEntries(1, 4...5)) }
        #expect(throws: error) { try log.append(entries: makeEntries(1, 4...5)) }
        #expect(throws: error) { try log.sync() }
        #expect(throws: error) { try log.prepareNextSegment() }
        #expect(throws: error) { try log.truncatePrefix(through: makeSnapshot(1, 1)) }
        #expect(throws: error) { try log.term(at: LogIndex(rawValue: 1)) }
        #expect(throws: error) { try log.close() }
    }

    @Test(arguments: [DiskError.Operation.open, .write, .sync, .rename, .syncDirectory])
    func `a roll that fails is final, and the log opens again`(operation: DiskError.Operation) throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        try log.append(entries: [], hardState: makeHardState(1))
        var appended: [Entry] = []
        while try fixture.segments().count == 1 {
            // Only what a roll does can fail, not an append that needs none.
            let next = makeEntry(1, UInt64(appended.count) + 1, bytes: 300)
            if appended.count == 11 {
                fixture.disk.fail(operation, errno: EIO, afterCalls: operation == .sync ? 1 : 0)
                #expect(throws: LogError.self) { try log.append(entries: [next]) }
                break
            }
            try log.appendSynced([next])
            appended.append(next)
        }
        #expect(throws: LogError.self) { try log.sync() }
        #expect(try fixture.reopen().allEntries() == appended)
    }

    @Test func `a full disk stops the next segment from being made, not the log`() throws {
        let fixture = try LogFixture(disk: SimulatedDisk(capacity: 6_000))
        let log = try fixture.open()
        try log.append(entries: [], hardState: makeHardState(1))
        let full = try #require(#expect(throws: LogError.self) { try log.prepareNextSegment() })
        guard case .disk(let error) = full else { throw full }
        #expect(error.isDiskFull)
        #expect(try fixture.spares().isEmpty)
        try log.appendSynced(makeEntries(1, 1...3))
        // A roll cannot do without.
        let final = try #require(
            #expect(throws: LogError.self) { try log.append(entries: [makeEntry(1, 4, bytes: 3_900)]) })
        #expect(throws: final) { try log.sync() }
        #expect(try fixture.reopen().allEntries() == makeEntries(1, 1...3))
    }

    @Test func `what a failed sync left in memory is made durable before it is trusted`() throws {
        for seed in UInt64(0)..<50 {
            let fixture = try LogFixture()
            let log = try fixture.open()
            try log.appendSynced(makeEntries(1, 1...3), makeHardState(1))
            fixture.disk.fail(.sync, errno: EIO)
            #expect(throws: LogError.self) { try log.appendSynced(makeEntries(1, 4...9, bytes: 200)) }
            let reopened = try fixture.reopen().allEntries()
            fixture.disk.powerCut(seed: seed)
            #expect(try fixture.open().allEntries() == reopened, "seed \(seed)")
        }
    }

    @Test func `a read error is reported`() throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        try log.appendSynced(makeEntries(1, 1...3), makeHardState(1))
        fixture.disk.fail(.read, errno: EIO)
        #expect(throws: LogError.self) { try log.allEntries() }
        #expect(try log.allEntries() == makeEntries(1, 1...3))
        fixture.disk.crashProcess()
        fixture.disk.fail(.read, errno: EIO)
        #expect(throws: LogError.self) { try fixture.open() }
    }

    @Test func `damage that comes while the log is open is found when it is read`() throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        try log.appendSynced(makeEntries(1, 1...3, bytes: 100), makeHardState(1))
        let path = try #require(try fixture.segments().last)
        fixture.disk.flipBit(path: path, offset: 300, bit: 3)
        let error = #expect(throws: LogError.self) { try log.allEntries() }
        guard case .corrupt(let corruption) = error else { throw error ?? .closed }
        #expect(corruption.path == path)
    }
}
