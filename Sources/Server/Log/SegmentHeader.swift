internal import StrakeChecksum
internal import StrakeRaft

/// What the first record of a file says. It is synced before the file gets its name, so it is never torn.
///
/// Payload: segment bytes u64 | sequence u64 | first index u64 | previous term u64 | cluster u64 | member u64
/// | previous checksum u32 | salt u32 | flags u32 (bit 0: reset).
struct SegmentHeader: Equatable {
    static let format: UInt32 = 1
    static let magic: [UInt8] = Array("STRAKLOG".utf8)
    static let prefaceBytes = 16
    static let payloadBytes = 60

    /// The file's size when nothing larger than it was written.
    var segmentBytes: Int
    /// Counts the files of this log, without gaps.
    var sequence: UInt64
    /// Index of the entry that would come next when the file was begun.
    var firstIndex: LogIndex
    /// Term of the entry before that.
    var previousTerm: Term
    var identity: MemberIdentity
    /// Checksum of the last record of the segment before; 0 when `isReset`.
    var previousChecksum: UInt32
    var salt: UInt32
    /// The log starts anew here: files before this one no longer count, whatever they hold.
    var isReset: Bool

    var start: EntryID { EntryID(term: previousTerm, index: firstIndex - 1) }

    static func encodePreface(into bytes: UnsafeMutableRawBufferPointer) {
        for (offset, byte) in magic.enumerated() { bytes[offset] = byte }
        bytes.store(format, at: 8)
        bytes.store(CRC32C.checksum(UnsafeRawBufferPointer(start: bytes.baseAddress, count: 12)), at: 12)
    }

    /// The format version in the preface; nil if these are not the first bytes of a segment.
    static func decodePreface(_ bytes: UnsafeRawBufferPointer) -> UInt32? {
        guard bytes.slice(0..<8).elementsEqual(magic),
            bytes.integer(at: 12, as: UInt32.self) == CRC32C.checksum(bytes.slice(0..<12))
        else { return nil }
        return bytes.integer(at: 8, as: UInt32.self)
    }

    func encode(into bytes: UnsafeMutableRawBufferPointer, at offset: Int) {
        bytes.store(UInt64(segmentBytes), at: offset)
        bytes.store(sequence, at: offset + 8)
        bytes.store(firstIndex.rawValue, at: offset + 16)
        bytes.store(previousTerm.rawValue, at: offset + 24)
        bytes.store(identity.cluster, at: offset + 32)
        bytes.store(identity.member.rawValue, at: offset + 40)
        bytes.store(previousChecksum, at: offset + 48)
        bytes.store(salt, at: offset + 52)
        bytes.store(UInt32(isReset ? 1 : 0), at: offset + 56)
    }

    init(decoding payload: UnsafeRawBufferPointer) throws(LogCorruption.Problem) {
        guard payload.count == Self.payloadBytes else { throw .content("the segment record has a wrong length") }
        let flags = payload.integer(at: 56, as: UInt32.self)
        guard flags <= 1, let segmentBytes = Int(exactly: payload.integer(at: 0, as: UInt64.self)) else {
            throw .content("the segment record says what this version never writes")
        }
        self.segmentBytes = segmentBytes
        sequence = payload.integer(at: 8, as: UInt64.self)
        firstIndex = LogIndex(rawValue: payload.integer(at: 16, as: UInt64.self))
        previousTerm = Term(rawValue: payload.integer(at: 24, as: UInt64.self))
        identity = MemberIdentity(
            cluster: payload.integer(at: 32, as: UInt64.self),
            member: MemberID(rawValue: payload.integer(at: 40, as: UInt64.self)))
        previousChecksum = payload.integer(at: 48, as: UInt32.self)
        salt = payload.integer(at: 52, as: UInt32.self)
        isReset = flags == 1
        guard firstIndex > .zero else { throw .content("the segment record has no first index") }
    }

    init(
        segmentBytes: Int, sequence: UInt64, start: EntryID, identity: MemberIdentity, previousChecksum: UInt32,
        salt: UInt32, isReset: Bool
    ) {
        self.segmentBytes = segmentBytes
        self.sequence = sequence
        firstIndex = start.index + 1
        previousTerm = start.term
        self.identity = identity
        self.previousChecksum = previousChecksum
        self.salt = salt
        self.isReset = isReset
    }
}
