internal import StrakeModel

/// The LMDB key of a history row: 8 bytes main, 4 bytes sub, and 4 bytes chunk number in the rows after a record's
/// first. Big-endian, so rows sort by revision and then by chunk.
struct HistoryRow {
    /// Bytes of an LMDB page of 4 KiB that one node may fill: two to a page of 4,080 bytes, each with a 2-byte index.
    /// A bigger one moves to pages of its own, and runs of pages are what LMDB is slow to find.
    private static let nodeBytesMax = 4_080 / 2 - 2
    private static let nodeHeaderBytes = 8
    private static let firstKeyBytes = 12
    private static let chunkKeyBytes = 16
    static let firstBytesMax = nodeBytesMax - nodeHeaderBytes - firstKeyBytes
    static let chunkBytesMax = nodeBytesMax - nodeHeaderBytes - chunkKeyBytes

    private let main: UInt64
    private let sub: UInt32
    private let chunk: UInt32

    /// Chunk 0 is the record's first row.
    init(_ revision: Revision, chunk: Int = 0) {
        precondition(revision.main >= 0 && revision.sub >= 0, "negative revision \(revision)")
        main = UInt64(revision.main).bigEndian
        sub = UInt32(revision.sub).bigEndian
        self.chunk = UInt32(chunk).bigEndian
    }

    func withBytes<R: ~Copyable, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        let count = chunk == 0 ? Self.firstKeyBytes : Self.chunkKeyBytes
        return try withUnsafeBytes(of: self) { bytes throws(E) in
            try body(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
        }
    }

    /// The revision and chunk number that a row's key names, or nil if it is no such key.
    static func parse(_ key: UnsafeRawBufferPointer) -> (revision: Revision, chunk: Int)? {
        guard key.count == firstKeyBytes || key.count == chunkKeyBytes,
            let main = Int64(exactly: key.bigEndian(at: 0, as: UInt64.self)),
            let sub = Int32(exactly: key.bigEndian(at: 8, as: UInt32.self))
        else { return nil }
        let chunk = key.count == chunkKeyBytes ? Int(key.bigEndian(at: 12, as: UInt32.self)) : 0
        return (Revision(main: main, sub: sub), chunk)
    }

    /// Rows that a record of `count` bytes takes.
    static func rowCount(_ count: Int) -> Int {
        count <= firstBytesMax ? 1 : 1 + (count - firstBytesMax + chunkBytesMax - 1) / chunkBytesMax
    }

    /// Which bytes of a record of `count` bytes the row with chunk number `chunk` holds.
    static func range(ofChunk chunk: Int, in count: Int) -> Range<Int> {
        let start = chunk == 0 ? 0 : firstBytesMax + (chunk - 1) * chunkBytesMax
        return start..<min(count, firstBytesMax + chunk * chunkBytesMax)
    }
}
