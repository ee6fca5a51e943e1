internal import StrakeChecksum

// The log on disk, format 1. All integers are little-endian.
//
//   file    = preface record* zeros
//   preface = magic "STRAKLOG" | format u32 | CRC-32C of these 12 bytes u32
//   record  = payload length u32 | type u8 | flags u8 | entry kind u8 | 0 u8 | synced u32 | header checksum u32
//             | payload | zeros, so that the record's size is a multiple of 8 | checksum u32
//
// - flags: bit 0, the last record of its batch. A batch is recovered whole or not at all.
// - synced: everything before this byte of the file was synced when the record was written. A later record tells by it
//   that damage before that byte is no torn write.
// - header checksum: CRC-32C of the 12 bytes before it, started from the segment's salt (from 0 for the segment record,
//   which holds the salt). The salt keeps a client from writing a value that looks like a record.
// - checksum: CRC-32C of everything in the record before it, started from the four bytes that precede the record, which are
//   the checksum of the record before it or of the preface. So checksums chain, and a record left over from another
//   place or time does not fit.
//
// A file has its constant size, in zeros, before its first record is written, and the unused rest stays zero.

/// What a record is about. The payloads are described at their coders.
enum RecordType: UInt8 {
    /// First record of each file: whose it is and what it continues (`SegmentHeader`).
    case segment = 1
    /// term u64 | index u64 | data.
    case entry = 2
    /// term u64 | vote u64, 0 for none | committed u64.
    case hardState = 3
    /// term u64 | index u64 | autoLeave u8 | voters, outgoing, learners, learnersNext, each as count u32, ids u64.
    case snapshot = 4
    /// term u64 | index u64 of the entry that is the last from here on: those after it are superseded.
    case cut = 5
}

enum Record {
    static let headerBytes = 16
    static let checksumBytes = 4
    static let sizeMin = 24
    /// Above what any request may be; a header that says more is not ours.
    static let payloadBytesMax = 1 << 30

    static func size(payloadBytes: Int) -> Int {
        (headerBytes + payloadBytes + checksumBytes + 7) & ~7
    }
}

/// The first 16 bytes of a record.
struct RecordHeader: Equatable {
    var payloadBytes: Int
    /// A `RecordType`, or something from a later version.
    var type: UInt8
    var endsBatch: Bool
    var entryKind: UInt8 = 0
    var synced: Int

    var size: Int { Record.size(payloadBytes: payloadBytes) }

    @inline(__always)
    func encode(into bytes: UnsafeMutableRawBufferPointer, at offset: Int, salt: UInt32) {
        bytes.store(UInt32(payloadBytes), at: offset)
        let marks = UInt32(type) | (endsBatch ? 1 << 8 : 0) | UInt32(entryKind) << 16
        bytes.store(marks, at: offset + 4)
        bytes.store(UInt32(synced), at: offset + 8)
        let checked = UnsafeRawBufferPointer(start: bytes.baseAddress! + offset, count: 12)
        var checksum = CRC32C(resuming: salt)
        checksum.add(checked)
        bytes.store(checksum.value, at: offset + 12)
    }

    /// Reads a header from its 16 bytes.
    init(decoding bytes: UnsafeRawBufferPointer, salt: UInt32) throws(LogCorruption.Problem) {
        var checksum = CRC32C(resuming: salt)
        checksum.add(bytes.slice(0..<12))
        let found = bytes.integer(at: 12, as: UInt32.self)
        guard found == checksum.value else { throw .headerChecksum(expected: checksum.value, found: found) }
        payloadBytes = Int(bytes.integer(at: 0, as: UInt32.self))
        type = bytes[4]
        endsBatch = bytes[5] & 1 != 0
        entryKind = bytes[6]
        synced = Int(bytes.integer(at: 8, as: UInt32.self))
        guard payloadBytes <= Record.payloadBytesMax, bytes[5] <= 1, bytes[7] == 0 else {
            throw .content("a record header says what this version never writes")
        }
    }

    init(payloadBytes: Int, type: RecordType, endsBatch: Bool, entryKind: UInt8 = 0, synced: Int) {
        self.payloadBytes = payloadBytes
        self.type = type.rawValue
        self.endsBatch = endsBatch
        self.entryKind = entryKind
        self.synced = synced
    }
}
