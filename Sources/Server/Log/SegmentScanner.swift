internal import StrakeChecksum
internal import StrakeRaft

/// A verified record.
struct ScannedRecord {
    var offset: Int
    var header: RecordHeader
    /// Valid as long as the bytes it was read from.
    var payload: UnsafeRawBufferPointer
    var checksum: UInt32

    var bytes: Range<Int> { offset..<(offset + header.size) }

    /// Reads the record at `offset` of `bytes`, and the four bytes before it.
    init(verifying bytes: UnsafeRawBufferPointer, at offset: Int, salt: UInt32) throws(LogCorruption.Problem) {
        guard bytes.count - offset >= Record.sizeMin else { throw .content("a record ends too early") }
        header = try RecordHeader(decoding: bytes.slice(offset..<(offset + Record.headerBytes)), salt: salt)
        guard header.size <= bytes.count - offset else { throw .content("a record ends too early") }
        let end = offset + header.size
        var expected = CRC32C(resuming: bytes.integer(at: offset - 4, as: UInt32.self))
        expected.add(bytes.slice(offset..<(end - Record.checksumBytes)))
        checksum = bytes.integer(at: end - Record.checksumBytes, as: UInt32.self)
        guard checksum == expected.value else { throw .checksum(expected: expected.value, found: checksum) }
        self.offset = offset
        let start = offset + Record.headerBytes
        payload = bytes.slice(start..<(start + header.payloadBytes))
    }
}

/// Walks over the records of one segment and verifies each.
struct SegmentScanner {
    enum Step {
        case record(ScannedRecord)
        /// No record was begun here.
        case end
        case damage(LogCorruption.Problem)
    }

    let window: FileWindow
    let header: SegmentHeader
    /// Where the next record is.
    private(set) var position: Int
    /// Checksum of the record before.
    private(set) var checksum: UInt32

    /// Reads preface and segment record. They were synced before the file got its name: damage there is no torn write.
    init(_ window: FileWindow) throws(LogError) {
        let path = window.path
        func corrupt(_ problem: LogCorruption.Problem) -> LogError {
            .corrupt(LogCorruption(path: path, offset: 0, problem: problem))
        }
        let preface = try window.bytes(at: 0, count: SegmentHeader.prefaceBytes)
        guard let format = SegmentHeader.decodePreface(preface) else { throw corrupt(.notASegment) }
        guard format == SegmentHeader.format else {
            throw .unsupportedFormat(path: path, found: format, supported: SegmentHeader.format)
        }
        self.window = window
        position = SegmentHeader.prefaceBytes
        let first = try Self.readRecord(window, at: position, salt: 0)
        guard case .record(let record) = first, record.header.type == RecordType.segment.rawValue else {
            guard case .damage(let problem) = first else { throw corrupt(.notASegment) }
            throw corrupt(problem)
        }
        do { header = try SegmentHeader(decoding: record.payload) } catch { throw corrupt(error) }
        guard window.size >= header.segmentBytes else {
            throw corrupt(.truncated(expectedBytes: header.segmentBytes, foundBytes: window.size))
        }
        position = record.bytes.upperBound
        checksum = record.checksum
    }

    mutating func next() throws(LogError) -> Step {
        let step = try Self.readRecord(window, at: position, salt: header.salt)
        if case .record(let record) = step {
            position = record.bytes.upperBound
            checksum = record.checksum
        }
        return step
    }

    /// Reads the record at `offset`.
    static func readRecord(_ window: FileWindow, at offset: Int, salt: UInt32) throws(LogError) -> Step {
        // Four bytes earlier: there is the checksum that this record's goes on from.
        let base = offset - 4
        let start = try window.bytes(at: base, count: Record.sizeMin + 4).slice(4..<(4 + Record.headerBytes))
        if start.isZero { return .end }
        let size: Int
        do { size = try RecordHeader(decoding: start, salt: salt).size } catch { return .damage(error) }
        let bytes = try window.bytes(at: base, count: size + 4)
        do {
            var record = try ScannedRecord(verifying: bytes, at: 4, salt: salt)
            record.offset = offset
            return .record(record)
        } catch { return .damage(error) }
    }
}
