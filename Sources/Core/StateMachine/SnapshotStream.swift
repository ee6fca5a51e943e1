internal import StrakeChecksum
package import StrakeMVCC
internal import StrakeModel
package import StrakeRaft
package import StrakeTables

// The stream of a snapshot: records one after the other, cut into pieces anywhere. All numbers are little-endian.
//
//     record = length u32 (of what follows the checksum) | CRC-32C u32 of kind and fields | kind u8 | fields
//     head   = 1: version u8 | term u64 | index u64 | revision i64 | compact revision i64 | digest u64
//     row    = 2: length u32 | name | value              a row of the state table, in the order of the names
//     events = 3: event*
//     event  = main i64 | sub i32 | flags u32 (1 tombstone) | create i64 | version i64 | lease i64
//              | previous i64 i32 | jump i64 i32 | depth u64 | key length u32 | value length u32 | key | value
//     end    = 4: rows u64 | events u64
enum SnapshotStream {
    /// Without users and roles, as every version reads it.
    static let version: UInt8 = 1
    /// With users and roles: one that passed over them would serve everybody.
    static let versionWithAuth: UInt8 = 2
    static let prefixBytes = 8
    static let eventHeadBytes = 80
    /// A record with one event of the largest size that a store can hold fits.
    static let recordBytesMax = 1 << 30

    enum Kind: UInt8 {
        case head = 1
        case row = 2
        case events = 3
        case end = 4
    }
}

/// Why a snapshot cannot be used.
package enum SnapshotError: Error, Sendable {
    case checksum
    /// The records do not make a snapshot.
    case malformed(String)
    case unsupportedVersion(UInt8)
    /// It is not the one that was announced.
    case otherSnapshot(EntryID)
    /// The stream ended before the snapshot did.
    case truncated
    case store(MVCCError)
    case table(TableError)
}

/// Puts records of a snapshot's stream into bytes.
struct SnapshotRecordWriter {
    private(set) var bytes: [UInt8] = []
    private var start = 0

    mutating func begin(_ kind: SnapshotStream.Kind) {
        start = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: SnapshotStream.prefixBytes))
        bytes.append(kind.rawValue)
    }

    mutating func end() {
        let body = start + SnapshotStream.prefixBytes
        let checksum = bytes[body...].withUnsafeBytes { CRC32C.checksum($0) }
        let length = UInt32(bytes.count - body)
        withUnsafeBytes(of: length.littleEndian) { bytes.replaceSubrange(start..<start + 4, with: $0) }
        withUnsafeBytes(of: checksum.littleEndian) { bytes.replaceSubrange(start + 4..<body, with: $0) }
    }

    mutating func add(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func add(_ value: [UInt8]) { bytes.append(contentsOf: value) }

    mutating func add(_ event: EventRecord) {
        let header = event.header
        add(header.revision.main)
        add(header.revision.sub)
        add(UInt32(header.isTombstone ? 1 : 0))
        add(header.createRevision)
        add(header.version)
        add(header.lease.rawValue)
        add(header.previous.main)
        add(header.previous.sub)
        add(header.link.jump.main)
        add(header.link.jump.sub)
        add(header.link.depth)
        add(UInt32(event.key.count))
        add(UInt32(event.value.count))
        add(event.key)
        add(event.value)
    }

    mutating func take() -> [UInt8] {
        defer { bytes = [] }
        return bytes
    }
}

/// Takes fields off the front of a record.
struct SnapshotRecordReader {
    private let bytes: UnsafeRawBufferPointer
    private var offset = 0

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    var remaining: Int { bytes.count - offset }

    mutating func number<Value: FixedWidthInteger>(_: Value.Type = Value.self) throws(SnapshotError) -> Value {
        guard remaining >= MemoryLayout<Value>.size else { throw .malformed("a record is too short") }
        defer { offset += MemoryLayout<Value>.size }
        return Value(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Value.self))
    }

    mutating func array(_ count: Int) throws(SnapshotError) -> [UInt8] {
        guard remaining >= count else { throw .malformed("a record is too short") }
        defer { offset += count }
        return [UInt8](UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count]))
    }

    mutating func event() throws(SnapshotError) -> EventRecord {
        let main = try number(Int64.self)
        let revision = Revision(main: main, sub: try number())
        let flags = try number(UInt32.self)
        guard flags <= 1 else { throw .malformed("an event with unknown flags") }
        let createRevision = try number(Int64.self)
        let version = try number(Int64.self)
        let lease = LeaseID(rawValue: try number())
        let previousMain = try number(Int64.self)
        let previous = Revision(main: previousMain, sub: try number())
        let jumpMain = try number(Int64.self)
        let jump = Revision(main: jumpMain, sub: try number())
        let link = ChainLink(depth: try number(), jump: jump)
        let keyCount = Int(try number(UInt32.self))
        let valueCount = Int(try number(UInt32.self))
        let header = EventHeader(
            revision: revision, isTombstone: flags == 1, createRevision: createRevision, version: version,
            lease: lease, previous: previous, link: link)
        let key = try array(keyCount)
        return EventRecord(header: header, key: key, value: try array(valueCount))
    }
}
