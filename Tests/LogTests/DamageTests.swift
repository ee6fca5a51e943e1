internal import StrakeChecksum
internal import StrakeLog
internal import StrakeRaft
internal import StrakeSimulatedDisk
internal import Testing

/// A closed log of a few segments, and what must come back from it.
private struct Sample {
    let fixture: LogFixture
    let entries: [Entry]
    let state: HardState

    init() throws {
        fixture = try LogFixture()
        let log = try fixture.open()
        try log.append(entries: [], hardState: makeHardState(1, vote: 1))
        var index: UInt64 = 0
        for batch in UInt64(0)..<14 {
            let count = batch % 3 + 1
            let added = makeEntries(1 + batch / 5, (index + 1)...(index + count), bytes: 100 + Int(batch) * 23)
            index += count
            try log.appendSynced(added, makeHardState(1 + batch / 5, vote: 1, committed: index - 1))
        }
        entries = try log.allEntries()
        state = log.hardState
        try log.close()
        try #require(try fixture.segments().count >= 3)
    }

    /// Whether the log was refused; otherwise it must hold everything.
    func isRefused(_ comment: String) throws -> Bool {
        fixture.disk.crashProcess()
        let log: DurableLog
        do throws(LogError) { log = try fixture.open() } catch {
            guard case .corrupt = error else { throw error }
            return true
        }
        #expect(try log.allEntries() == entries, "\(comment)")
        #expect(log.hardState == state, "\(comment)")
        return false
    }
}

struct DamageTests {
    @Test func `a flipped bit at any place is refused or harmless`() throws {
        let sample = try Sample()
        let disk = sample.fixture.disk
        var refused = 0
        for path in try sample.fixture.segments() {
            let original = try #require(disk.contents(path))
            let end = try #require(original.lastIndex { $0 != 0 }) + 1
            for offset in original.indices {
                disk.flipBit(path: path, offset: offset, bit: (offset * 5 + offset / 8) % 8)
                let isRefused = try sample.isRefused("\(path) at \(offset)")
                // Behind the records there is nothing to lose; there the damage may go unnoticed.
                if offset < end { #expect(isRefused, "\(path) at \(offset) of \(end)") }
                if isRefused { refused += 1 }
                disk.crashProcess()
                disk.replace(path, with: original)
            }
        }
        #expect(refused > 9_000)
        #expect(try !sample.isRefused("undamaged"))
    }

    @Test func `a segment that was cut short is refused at any length`() throws {
        let sample = try Sample()
        let disk = sample.fixture.disk
        for path in try sample.fixture.segments() {
            let original = try #require(disk.contents(path))
            for length in original.indices {
                disk.replace(path, with: Array(original[..<length]))
                #expect(try sample.isRefused("\(path) cut to \(length)"), "\(path) cut to \(length)")
            }
            disk.crashProcess()
            disk.replace(path, with: original)
        }
    }

    @Test func `if the end was never written, the batches before it are there and no other`() throws {
        let fixture = try LogFixture(segmentBytes: 8_192)
        let log = try fixture.open()
        try log.appendSynced(makeEntries(1, 1...3, bytes: 200), makeHardState(1))
        for index in UInt64(2)...8 {
            try log.append(entries: makeEntries(1, (index * 2)...(index * 2 + 1), bytes: 150))
        }
        let entries = try log.allEntries()
        let path = try #require(try fixture.segments().last)
        let original = try #require(fixture.disk.contents(path))
        var counts: Set<Int> = []
        for length in original.indices {
            fixture.disk.crashProcess()
            let zeros = [UInt8](repeating: 0, count: original.count - length)
            fixture.disk.replace(path, with: Array(original[..<length]) + zeros)
            guard let again = try? fixture.open() else { continue }
            let found = try again.allEntries()
            #expect(found == Array(entries[..<found.count]), "length \(length)")
            // A disk writes whole sectors.
            if length % 512 == 0 || length > 4_000 { counts.insert(found.count) }
        }
        #expect(counts.isSubset(of: [0, 3, 5, 7, 9, 11, 13, 15, 17]))
        #expect(counts.contains(17) && counts.count > 4)
    }

    @Test func `the error names file, place, checksums and what to do`() throws {
        let sample = try Sample()
        let path = try sample.fixture.segments()[1]
        sample.fixture.disk.crashProcess()
        sample.fixture.disk.flipBit(path: path, offset: 500, bit: 0)
        let error = #expect(throws: LogError.self) { try sample.fixture.open() }
        guard case .corrupt(let corruption) = error, case .checksum(let expected, let found) = corruption.problem
        else { throw error ?? .closed }
        let text = String(describing: error ?? .closed)
        #expect(text.contains(path))
        #expect(text.contains("at byte \(corruption.offset)"))
        #expect(text.contains(String(expected, radix: 16)) && text.contains(String(found, radix: 16)))
        #expect(text.contains("Put back a copy of the whole data directory"))
    }

    @Test func `damage that a later batch proves to have been synced is told from a torn write`() throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        try log.appendSynced([makeEntry(1, 1, bytes: 1_500)], makeHardState(1))
        try log.appendSynced([makeEntry(1, 2)])
        try log.close()
        let path = try #require(try fixture.segments().last)
        // A whole sector is missing, as after a torn write.
        var bytes = try #require(fixture.disk.contents(path))
        bytes.replaceSubrange(512..<1_024, with: repeatElement(0, count: 512))
        fixture.disk.replace(path, with: bytes)
        let error = #expect(throws: LogError.self) { try fixture.open() }
        guard case .corrupt(let corruption) = error else { throw error ?? .closed }
        #expect(corruption.provenBy != nil)
    }

    @Test func `a torn last batch is cut away and reported`() throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        try log.appendSynced(makeEntries(1, 1...2), makeHardState(1))
        try log.append(entries: [makeEntry(1, 3), makeEntry(1, 4, bytes: 1_500), makeEntry(1, 5)])
        fixture.disk.crashProcess()
        let path = try #require(try fixture.segments().last)
        var bytes = try #require(fixture.disk.contents(path))
        bytes.replaceSubrange(512..<1_024, with: repeatElement(0, count: 512))
        fixture.disk.replace(path, with: bytes)
        let again = try fixture.open()
        #expect(try again.allEntries() == makeEntries(1, 1...2))
        #expect(again.repair?.path == path)
        try again.appendSynced(makeEntries(2, 3...4), makeHardState(2))
        let third = try fixture.reopen()
        #expect(try third.allEntries() == makeEntries(1, 1...2) + makeEntries(2, 3...4))
        #expect(third.repair == nil)
    }

    @Test func `a segment that lost its last record is refused even if it held no entry`() throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        try log.appendSynced([makeEntry(1, 1, bytes: 3_000)], makeHardState(1))
        let path = try fixture.segments()[0]
        let before = try #require(fixture.disk.contents(path))
        try log.appendSynced([], makeHardState(1, vote: 1))
        try log.appendSynced([makeEntry(1, 2, bytes: 3_000)])
        #expect(try fixture.segments().count == 2)
        fixture.disk.crashProcess()
        fixture.disk.replace(path, with: before)
        let error = #expect(throws: LogError.self) { try fixture.open() }
        guard case .corrupt(let corruption) = error, case .chain = corruption.problem else { throw error ?? .closed }
    }

    @Test func `a missing segment is refused`() throws {
        let sample = try Sample()
        let paths = try sample.fixture.segments()
        for path in paths.dropLast() {
            let original = try #require(sample.fixture.disk.contents(path))
            sample.fixture.disk.crashProcess()
            try sample.fixture.disk.remove(path)
            let error = #expect(throws: LogError.self) { try sample.fixture.open() }
            guard case .missingSegments = error else { throw error ?? .closed }
            sample.fixture.disk.replace(path, with: original)
        }
        #expect(try !sample.isRefused("all there"))
    }

    @Test func `another format version is refused with its number`() throws {
        let sample = try Sample()
        let path = try #require(try sample.fixture.segments().last)
        var bytes = try #require(sample.fixture.disk.contents(path))
        bytes[8] = 2
        let checksum = CRC32C.checksum(Array(bytes[..<12]))
        withUnsafeBytes(of: checksum.littleEndian) { bytes.replaceSubrange(12..<16, with: $0) }
        sample.fixture.disk.replace(path, with: bytes)
        #expect(throws: LogError.unsupportedFormat(path: path, found: 2, supported: 1)) { try sample.fixture.open() }
    }

    @Test func `a value that holds the bytes of records does not pose as one`() throws {
        // The records of one log, as the value of an entry in another with another salt.
        let source = try Sample()
        let records = try #require(source.fixture.disk.contents(try source.fixture.segments()[0]))
        for padding in 0..<8 {
            var fixture = try LogFixture()
            fixture.options.saltSeed = 99
            let log = try fixture.open()
            try log.appendSynced(makeEntries(1, 1...2), makeHardState(1))
            let data = [UInt8](repeating: 1, count: padding) + records[2_000..<3_500]
            try log.append(entries: [Entry(id: entryID(1, 3), kind: .command, data: data)])
            fixture.disk.crashProcess()
            let path = try #require(try fixture.segments().last)
            var bytes = try #require(fixture.disk.contents(path))
            bytes.replaceSubrange(512..<1_024, with: repeatElement(0, count: 512))
            fixture.disk.replace(path, with: bytes)
            #expect(try fixture.open().allEntries() == makeEntries(1, 1...2))
        }
    }
}
