internal import StrakeLog
internal import StrakeRaft
internal import StrakeSimulatedDisk
internal import Synchronization
internal import Testing

private final class Removed: Sendable {
    let count = Atomic(-2)
}

struct TruncationTests {
    /// Entries 1 to `count`, one a batch, about ten to a segment.
    private func filled(_ fixture: LogFixture, count: UInt64 = 100) throws -> DurableLog {
        let log = try fixture.open()
        try log.append(entries: [], hardState: makeHardState(1))
        for index in 1...count {
            try log.appendSynced([makeEntry(1, index, bytes: 300)], makeHardState(1, committed: index))
        }
        return log
    }

    /// Twice, since a mark frees segments once it is synced.
    private func truncate(_ log: DurableLog, _ term: UInt64, through index: UInt64) throws -> Int {
        var removed = try log.truncatePrefix(through: makeSnapshot(term, index))
        try log.append(entries: [])
        try log.sync()
        removed += try log.truncatePrefix(through: makeSnapshot(term, index))
        return removed
    }

    @Test func `truncation removes whole segments below the checkpoint`() throws {
        let fixture = try LogFixture()
        let log = try filled(fixture)
        let before = try fixture.segments().count
        let removed = try truncate(log, 1, through: 55)
        #expect(removed > 3)
        #expect(try fixture.segments().count == before - removed)
        #expect(log.start.index.rawValue > 40 && log.start.index.rawValue <= 55)
        #expect(log.snapshot == makeSnapshot(1, 55))

        let start = log.start
        let again = try fixture.reopen()
        #expect(again.start == start)
        #expect(again.snapshot == makeSnapshot(1, 55))
        #expect(again.hardState == makeHardState(1, committed: 100))
        let kept = try again.allEntries()
        #expect(kept == makeEntries(1, (start.index.rawValue + 1)...100, bytes: 300))
    }

    @Test func `what is still needed below the mark stays`() throws {
        let fixture = try LogFixture()
        let log = try filled(fixture)
        _ = try log.truncatePrefix(through: makeSnapshot(1, 90), last: LogIndex(rawValue: 30))
        try log.append(entries: [])
        try log.sync()
        let bytes = log.bytes
        #expect(try log.truncatePrefix(through: makeSnapshot(1, 90), last: LogIndex(rawValue: 30)) > 0)
        #expect(log.bytes < bytes)
        #expect(log.start.index.rawValue > 10 && log.start.index.rawValue <= 30)
        #expect(log.snapshot == makeSnapshot(1, 90))
        #expect(try log.truncatePrefix(through: makeSnapshot(1, 90)) > 0)
        #expect(log.start.index.rawValue > 70)
    }

    @Test func `nothing is removed before the mark is synced`() throws {
        let fixture = try LogFixture()
        let log = try filled(fixture)
        #expect(try log.truncatePrefix(through: makeSnapshot(1, 55)) == 0)
        #expect(log.snapshot == nil)
        try log.append(entries: [])
        #expect(try log.truncatePrefix(through: makeSnapshot(1, 55)) == 0)
        try log.sync()
        #expect(try log.truncatePrefix(through: makeSnapshot(1, 55)) > 0)
    }

    @Test func `retained entries stay for followers that lag`() throws {
        let fixture = try LogFixture(retainedEntries: 30)
        let log = try filled(fixture)
        _ = try truncate(log, 1, through: 80)
        #expect(log.start.index.rawValue <= 50)
        #expect(log.start.index.rawValue > 30)
    }

    @Test func `truncated segments become the next ones, without a trace of their old entries`() throws {
        let fixture = try LogFixture()
        let log = try filled(fixture)
        _ = try truncate(log, 1, through: 90)
        #expect(try fixture.spares().count == 2)
        for index in UInt64(101)...140 {
            try log.prepareNextSegment()
            #expect(!log.wantsNextSegment)
            try log.appendSynced([makeEntry(1, index, bytes: 300)])
        }
        let expected = makeEntries(1, (log.firstIndex.rawValue)...140, bytes: 300)
        #expect(try log.allEntries() == expected)
        #expect(try fixture.reopen().allEntries() == expected)
    }

    @Test func `a log whose entries were superseded below a removed segment's still opens`() throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        try log.append(entries: [], hardState: makeHardState(1, committed: 0))
        for index in UInt64(1)...15 { try log.appendSynced([makeEntry(1, index, bytes: 300)]) }
        // Entries 8 on now lie in the second segment, whose name says 10 or more.
        for index in UInt64(8)...9 { try log.appendSynced([makeEntry(2, index)], makeHardState(2, committed: 8)) }
        #expect(try truncate(log, 2, through: 8) == 1)
        #expect(log.start == entryID(1, 7))
        let again = try fixture.reopen()
        #expect(again.start == entryID(1, 7))
        #expect(try again.allEntries() == makeEntries(2, 8...9))
        #expect(try again.term(at: LogIndex(rawValue: 7)).rawValue == 1)
    }

    /// Seed 13726 of the power cuts: the cut was lost, and the segment that it had freed was gone.
    @Test func `a segment stays until the batch that superseded its entries is synced`() throws {
        let fixture = try LogFixture()
        let log = try filled(fixture, count: 8)
        for index in UInt64(9)...15 { try log.appendSynced([makeEntry(1, index, bytes: 300)]) }
        #expect(try truncate(log, 1, through: 8) == 0)
        try log.append(entries: [makeEntry(2, 9)], hardState: makeHardState(2, committed: 8))
        #expect(try log.truncatePrefix(through: makeSnapshot(1, 8)) == 0)
        try log.sync()
        #expect(try log.truncatePrefix(through: makeSnapshot(1, 8)) == 1)
        #expect(log.start == entryID(1, 8))
        #expect(try fixture.reopen().allEntries() == [makeEntry(2, 9)])
    }

    @Test func `a segment that is being read is not used again`() throws {
        let fixture = try LogFixture()
        let log = try filled(fixture)
        _ = try log.truncatePrefix(through: makeSnapshot(1, 90))
        try log.append(entries: [])
        try log.sync()
        fixture.disk.interrupt(before: .read) {
            _ = try? log.truncatePrefix(through: makeSnapshot(1, 90))
            try? log.prepareNextSegment()
        }
        let entries = try log.entries(
            from: LogIndex(rawValue: 2), through: LogIndex(rawValue: 16), limitBytes: Int.max)
        #expect(entries == makeEntries(1, 2...16, bytes: 300))
        #expect(log.firstIndex.rawValue > 16)
    }

    @Test func `a mark that a roll takes along frees nothing before it is written`() throws {
        let fixture = try LogFixture()
        let log = try filled(fixture, count: 30)
        // Fills the segment but for some bytes, unsynced, so that the next append rolls and syncs first.
        try log.append(entries: [makeEntry(1, log.lastIndex.rawValue + 1, bytes: 3_000)])
        #expect(try log.truncatePrefix(through: makeSnapshot(1, 25)) == 0)
        let removed = Removed()
        fixture.disk.interrupt(before: .rename) {
            removed.count.store((try? log.truncatePrefix(through: makeSnapshot(1, 25))) ?? -1, ordering: .relaxed)
        }
        try log.append(entries: [makeEntry(1, log.lastIndex.rawValue + 1, bytes: 3_000)])
        #expect(removed.count.load(ordering: .relaxed) == 0)
        #expect(try log.truncatePrefix(through: makeSnapshot(1, 25)) > 0)
    }

    @Test func `replacing the log leaves the snapshot and nothing else`() throws {
        let fixture = try LogFixture()
        let log = try filled(fixture)
        try log.append(entries: [], hardState: makeHardState(4, vote: 2, committed: 100))
        try log.replaceAll(with: makeSnapshot(3, 500))
        func check(_ log: DurableLog) throws {
            #expect(log.start == entryID(3, 500))
            #expect(log.last == entryID(3, 500))
            #expect(log.snapshot == makeSnapshot(3, 500))
            #expect(log.hardState == makeHardState(4, vote: 2, committed: 500))
            #expect(try log.allEntries().isEmpty)
            #expect(try fixture.segments().count == 1)
        }
        try check(log)
        let again = try fixture.reopen()
        try check(again)
        try again.appendSynced(makeEntries(4, 501...503))
        #expect(try fixture.reopen().allEntries() == makeEntries(4, 501...503))
    }

    @Test func `a snapshot of a later term raises the term and forgets the vote`() throws {
        let log = try LogFixture().open()
        try log.append(entries: [], hardState: makeHardState(2, vote: 1))
        try log.replaceAll(with: makeSnapshot(5, 9))
        #expect(log.hardState == makeHardState(5, committed: 9))
    }

    @Test func `segments that a crash left behind a replacement go at the next start`() throws {
        let fixture = try LogFixture()
        let log = try filled(fixture)
        fixture.disk.fail(.remove, errno: 5)
        #expect(throws: LogError.self) { try log.replaceAll(with: makeSnapshot(3, 500)) }
        #expect(try fixture.segments().count > 5)
        let again = try fixture.reopen()
        #expect(again.last == entryID(3, 500))
        #expect(try fixture.segments().count == 1)
    }
}
