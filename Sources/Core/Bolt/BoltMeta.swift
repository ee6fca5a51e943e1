/// What a meta page says: where the newest state of the file begins.
package struct BoltMeta: Hashable, Sendable {
    package var pageBytes: Int
    /// Page of the bucket that holds all others.
    package var root: UInt64
    package var freelist: UInt64
    /// Pages of the file that may be in use.
    package var pageCount: UInt64
    package var transaction: UInt64

    /// As a whole page, number 0 or 1.
    func encodePage() -> [UInt8] {
        var out: [UInt8] = []
        out.append(littleEndian: transaction & 1)
        out.append(littleEndian: BoltFormat.PageKind.meta.rawValue)
        out.append(contentsOf: [0, 0, 0, 0, 0, 0])
        out.append(littleEndian: BoltFormat.magic)
        out.append(littleEndian: BoltFormat.version)
        out.append(littleEndian: UInt32(pageBytes))
        out.append(littleEndian: UInt32(0))
        out.append(littleEndian: root)
        out.append(littleEndian: UInt64(0))
        out.append(littleEndian: freelist)
        out.append(littleEndian: pageCount)
        out.append(littleEndian: transaction)
        let checksum = out[BoltFormat.pageHeaderBytes...].withUnsafeBytes { Self.checksum($0) }
        out.append(littleEndian: checksum)
        out.append(contentsOf: repeatElement(0, count: pageBytes - out.count))
        return out
    }

    /// Nil when the bytes are no meta, or were not written whole.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= BoltFormat.metaBytes else { return nil }
        let checked = BoltFormat.metaBytes - 8
        guard bytes.number(at: 0, UInt32.self) == BoltFormat.magic,
            bytes.number(at: 4, UInt32.self) == BoltFormat.version,
            bytes.number(at: checked, UInt64.self) == Self.checksum(UnsafeRawBufferPointer(rebasing: bytes[..<checked]))
        else { return nil }
        pageBytes = Int(bytes.number(at: 8, UInt32.self))
        root = bytes.number(at: 16)
        freelist = bytes.number(at: 32)
        pageCount = bytes.number(at: 40)
        transaction = bytes.number(at: 48)
    }

    init(pageBytes: Int, root: UInt64, freelist: UInt64, pageCount: UInt64, transaction: UInt64) {
        self.pageBytes = pageBytes
        self.root = root
        self.freelist = freelist
        self.pageCount = pageCount
        self.transaction = transaction
    }

    /// FNV-1a of 64 bits.
    static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}
