internal import StrakeChecksum
internal import StrakeLog
internal import StrakeRaft
internal import StrakeSimulatedDisk
internal import Testing

/// Reads a segment as docs/storage-format.md describes it, by other means than the log does.
private struct FormatReader {
    struct Record: Equatable {
        var type: UInt8
        var endsBatch: Bool
        var entryKind: UInt8
        var synced: Int
        var payload: [UInt8]
    }

    let bytes: [UInt8]
    var records: [Record] = []

    init(_ bytes: [UInt8], salt: UInt32) throws {
        self.bytes = bytes
        try #require(Array(bytes[0..<8]) == Array("STRAKLOG".utf8))
        #expect(integer(8, 4) == 1)
        #expect(integer(12, 4) == UInt64(CRC32C.checksum(Array(bytes[0..<12]))))
        var offset = 16
        while integer(offset, 8) != 0 {
            let length = Int(integer(offset, 4))
            var header = CRC32C(resuming: records.isEmpty ? 0 : salt)
            header.add(Array(bytes[offset..<(offset + 12)]))
            #expect(integer(offset + 12, 4) == UInt64(header.value))
            let size = (16 + length + 4 + 7) / 8 * 8
            var checksum = CRC32C(resuming: UInt32(integer(offset - 4, 4)))
            checksum.add(Array(bytes[offset..<(offset + size - 4)]))
            #expect(integer(offset + size - 4, 4) == UInt64(checksum.value))
            records.append(
                Record(
                    type: bytes[offset + 4], endsBatch: bytes[offset + 5] == 1, entryKind: bytes[offset + 6],
                    synced: Int(integer(offset + 8, 4)), payload: Array(bytes[(offset + 16)..<(offset + 16 + length)])))
            offset += size
        }
        #expect(bytes[offset...].allSatisfy { $0 == 0 })
    }

    func integer(_ offset: Int, _ count: Int) -> UInt64 {
        bytes[offset..<(offset + count)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}

private func littleEndian(_ values: any FixedWidthInteger...) -> [UInt8] {
    values.flatMap { value in
        (0..<(value.bitWidth / 8)).map { UInt8(truncatingIfNeeded: UInt64(truncatingIfNeeded: value) >> ($0 * 8)) }
    }
}

struct StorageFormatTests {
    @Test func `records are as the storage format says`() throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        let entry = Entry(id: entryID(3, 1), kind: .configuration, data: [9, 8, 7])
        try log.appendSynced([entry], makeHardState(3, vote: 2, committed: 1))
        _ = try log.truncatePrefix(through: makeSnapshot(3, 1))
        try log.append(entries: makeEntries(3, 2...3))
        try log.append(entries: [makeEntry(4, 3)], hardState: makeHardState(4, committed: 1))

        let bytes = try #require(fixture.disk.contents(try fixture.segments()[0]))
        let salt = FormatReader.salt(of: bytes)
        let records = try FormatReader(bytes, salt: salt).records
        typealias Record = FormatReader.Record
        let begin = 16 + 80 + 48
        let second = begin + 40 + 48
        #expect(
            records == [
                Record(
                    type: 1, endsBatch: false, entryKind: 0, synced: 0,
                    payload: littleEndian(
                        UInt64(4_096), UInt64(1), UInt64(1), UInt64(0), UInt64(0xabc), UInt64(1), UInt32(0), salt,
                        UInt32(0))),
                Record(
                    type: 3, endsBatch: true, entryKind: 0, synced: 0,
                    payload: littleEndian(UInt64(0), UInt64(0), UInt64(0))),
                Record(
                    type: 2, endsBatch: false, entryKind: 2, synced: begin,
                    payload: littleEndian(UInt64(3), UInt64(1)) + [9, 8, 7]),
                Record(
                    type: 3, endsBatch: true, entryKind: 0, synced: begin,
                    payload: littleEndian(UInt64(3), UInt64(2), UInt64(1))),
                Record(
                    type: 4, endsBatch: false, entryKind: 0, synced: second,
                    payload: littleEndian(
                        UInt64(3), UInt64(1), UInt8(1), UInt32(2), UInt64(1), UInt64(2), UInt32(0), UInt32(1),
                        UInt64(9),
                        UInt32(0))),
                Record(
                    type: 2, endsBatch: false, entryKind: 1, synced: second,
                    payload: littleEndian(UInt64(3), UInt64(2)) + makeEntry(3, 2).data),
                Record(
                    type: 2, endsBatch: true, entryKind: 1, synced: second,
                    payload: littleEndian(UInt64(3), UInt64(3)) + makeEntry(3, 3).data),
                Record(
                    type: 5, endsBatch: false, entryKind: 0, synced: second, payload: littleEndian(UInt64(3), UInt64(2))
                ),
                Record(
                    type: 2, endsBatch: false, entryKind: 1, synced: second,
                    payload: littleEndian(UInt64(4), UInt64(3)) + makeEntry(4, 3).data),
                Record(
                    type: 3, endsBatch: true, entryKind: 0, synced: second,
                    payload: littleEndian(UInt64(4), UInt64(0), UInt64(1))),
            ])
    }

    /// Changes to the format need a new version number: this log was written by format 1 and must stay readable.
    @Test func `the bytes of format 1 do not change`() throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        try log.appendSynced(
            [Entry(id: entryID(1, 1), kind: .command, data: [1, 2, 3, 4, 5])], makeHardState(1, vote: 1, committed: 0))
        let bytes = try #require(fixture.disk.contents(try fixture.segments()[0]))
        let end = try #require(bytes.lastIndex { $0 != 0 }) + 1
        let lines = stride(from: 0, to: end, by: 16).map { start in
            bytes[start..<min(start + 16, end)].map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(
                separator: " ")
        }
        #expect(lines.joined(separator: "\n") == Self.formatOne)
    }

    @Test(
        "segments are named by sequence and first index",
        arguments: [
            ("0000000000000001-0000000000000001.log", true), ("0000000000000001-0000000000000002.log", false),
            ("1-1.log", nil), ("0000000000000001-000000000000000g.log", nil), ("notes.txt", nil),
        ] as [(String, Bool?)])
    func names(name: String, isRight: Bool?) throws {
        let fixture = try LogFixture()
        try fixture.open().close()
        let path = try #require(try fixture.segments().first)
        let bytes = try #require(fixture.disk.contents(path))
        fixture.disk.crashProcess()
        try fixture.disk.rename(path, to: LogFixture.directory + "/" + name)
        if isRight == false {
            #expect(throws: LogError.self) { try fixture.open() }
        } else {
            // Files of other names are none of the log's: it begins anew beside them.
            #expect(try fixture.open().last == .zero)
            #expect(fixture.disk.contents(LogFixture.directory + "/" + name) == bytes)
        }
    }
}

extension FormatReader {
    static func salt(of bytes: [UInt8]) -> UInt32 {
        let offset = 16 + 16 + 52
        return bytes[offset..<(offset + 4)].reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }
}

extension StorageFormatTests {
    private static let formatOne = """
        53 54 52 41 4b 4c 4f 47 01 00 00 00 0a 76 77 c3
        3c 00 00 00 01 00 00 00 00 00 00 00 fe 27 83 02
        00 10 00 00 00 00 00 00 01 00 00 00 00 00 00 00
        01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        bc 0a 00 00 00 00 00 00 01 00 00 00 00 00 00 00
        00 00 00 00 d7 0d 32 59 00 00 00 00 8d f1 a9 19
        18 00 00 00 03 01 00 00 00 00 00 00 c1 e6 5f a8
        00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        00 00 00 00 00 00 00 00 00 00 00 00 33 ce a7 9c
        15 00 00 00 02 00 01 00 90 00 00 00 b4 f7 40 a7
        01 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00
        01 02 03 04 05 00 00 00 00 00 00 00 35 7a 9c 2d
        18 00 00 00 03 01 00 00 90 00 00 00 c3 9e 9b 13
        01 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00
        00 00 00 00 00 00 00 00 00 00 00 00 81 4b 4e ad
        """
}
