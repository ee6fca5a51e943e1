internal import StrakeChecksum
internal import StrakeModel

/// The bytes of a history record: a header of fixed size, the key, the value.
///
/// Little-endian. Three checksums, so that a walk or a compaction that needs no value does not read it:
/// ```text
///  0 u32 CRC-32C of bytes 4..<80, then of the revision (i64, i32)     40 i64 lease
///  4 u32 CRC-32C of the key                                           48 i64 previous event, main
///  8 u32 CRC-32C of the value                                         56 i64 jump, main
/// 12 u32 length of the key                                            64 i32 previous event, sub
/// 16 u32 length of the value                                          68 i32 jump, sub
/// 20 u32 flags: 1 = tombstone                                         72 u64 depth
/// 24 i64 create revision                                              80 key, value
/// 32 i64 version
/// ```
struct EventEncoding {
    static let headerCount = 80

    let header: EventHeader

    var count: Int { Self.headerCount + header.keyCount + header.valueCount }

    /// - Parameter header: Described by the bytes that the record is to hold. Its checksums are written as they are, so
    ///   that bytes which changed in memory since are found out when they are read.
    init(_ header: EventHeader) {
        self.header = header
    }

    /// Reads and checks the header of the record at `revision`. `bytes` may end before the record does.
    init(_ bytes: UnsafeRawBufferPointer, at revision: Revision) throws(TableError.Corruption) {
        guard bytes.count >= Self.headerCount else { throw .truncated }
        var fields = FieldReader(bytes)
        guard fields.read(UInt32.self) == Self.checksum(ofHeader: bytes, revision) else { throw .checksum }
        let keyChecksum = fields.read(UInt32.self)
        let valueChecksum = fields.read(UInt32.self)
        let keyCount = Int(fields.read(UInt32.self))
        let valueCount = Int(fields.read(UInt32.self))
        let flags = fields.read(UInt32.self)
        guard flags & ~1 == 0 else { throw .unknownFlags }
        let createRevision = fields.read(Int64.self)
        let version = fields.read(Int64.self)
        let lease = LeaseID(rawValue: fields.read())
        let previousMain = fields.read(Int64.self)
        let jumpMain = fields.read(Int64.self)
        let previous = Revision(main: previousMain, sub: fields.read())
        let jump = Revision(main: jumpMain, sub: fields.read())
        var header = EventHeader(
            revision: revision, isTombstone: flags == 1, createRevision: createRevision, version: version,
            lease: lease, previous: previous, link: ChainLink(depth: fields.read(), jump: jump), keyCount: keyCount,
            valueCount: valueCount)
        header.keyChecksum = keyChecksum
        header.valueChecksum = valueChecksum
        self.header = header
    }

    /// The first `headerCount` bytes of the record.
    func writeHeader(into bytes: UnsafeMutableRawBufferPointer) {
        var fields = FieldWriter(bytes, at: 4)
        fields.write(header.keyChecksum)
        fields.write(header.valueChecksum)
        fields.write(UInt32(header.keyCount))
        fields.write(UInt32(header.valueCount))
        fields.write(UInt32(header.isTombstone ? 1 : 0))
        fields.write(header.createRevision)
        fields.write(header.version)
        fields.write(header.lease.rawValue)
        fields.write(header.previous.main)
        fields.write(header.link.jump.main)
        fields.write(header.previous.sub)
        fields.write(header.link.jump.sub)
        fields.write(header.link.depth)
        var first = FieldWriter(bytes)
        first.write(Self.checksum(ofHeader: UnsafeRawBufferPointer(bytes), header.revision))
    }

    /// The key, checked. `bytes` holds the record at least to the key's end.
    func key(of bytes: UnsafeRawBufferPointer) throws(TableError.Corruption) -> UnsafeRawBufferPointer {
        let key = bytes.slice(Self.headerCount, header.keyCount)
        guard CRC32C.checksum(key) == header.keyChecksum else { throw .checksum }
        return key
    }

    /// The event of a whole record, its key and value checked.
    func view(of bytes: UnsafeRawBufferPointer) throws(TableError.Corruption) -> EventView {
        precondition(bytes.count == count, "\(bytes.count) bytes of a record of \(count)")
        let value = bytes.dropping(Self.headerCount + header.keyCount)
        guard CRC32C.checksum(value) == header.valueChecksum else { throw .checksum }
        return EventView(header: header, key: try key(of: bytes), value: value)
    }

    /// Copies the bytes in `range` of the record to `place`.
    func copy(
        _ range: Range<Int>, _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer,
        into place: UnsafeMutableRawBufferPointer
    ) {
        if range.lowerBound == 0 { writeHeader(into: place) }
        let keyEnd = Self.headerCount + key.count
        Self.copy(key, recordRange: Self.headerCount..<keyEnd, into: place, recordRange: range)
        Self.copy(value, recordRange: keyEnd..<keyEnd + value.count, into: place, recordRange: range)
    }

    private static func copy(
        _ part: UnsafeRawBufferPointer, recordRange partRange: Range<Int>, into place: UnsafeMutableRawBufferPointer,
        recordRange placeRange: Range<Int>
    ) {
        let common = placeRange.clamped(to: partRange)
        if common.isEmpty { return }
        let source = part.slice(common.lowerBound - partRange.lowerBound, common.count)
        place.dropping(common.lowerBound - placeRange.lowerBound).copyMemory(from: source)
    }

    /// With the revision, so that a record that turns up in another's place is found out.
    private static func checksum(ofHeader bytes: UnsafeRawBufferPointer, _ revision: Revision) -> UInt32 {
        var checksum = CRC32C()
        checksum.add(bytes.slice(4, headerCount - 4))
        withUnsafeBytes(of: revision.main.littleEndian) { checksum.add($0) }
        withUnsafeBytes(of: revision.sub.littleEndian) { checksum.add($0) }
        return checksum.value
    }
}
