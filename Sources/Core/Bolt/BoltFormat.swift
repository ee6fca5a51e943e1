// A bbolt database is one file of pages that refer to each other by number. All numbers are little-endian.
//
//     page     = id u64 | flags u16 | elements u16 | further pages of the run u32 | elements | bytes
//     leaf     = flags u32 (1: the value is a bucket) | offset u32 | key bytes u32 | value bytes u32      an element
//     branch   = offset u32 | key bytes u32 | child page u64                                              an element
//     bucket   = root page u64 | sequence u64 | with root 0, a leaf page in place of one of the file
//     meta     = magic u32 | version u32 | page bytes u32 | flags u32 | bucket | freelist page u64 | pages u64
//                | transaction u64 | FNV-1a-64 of the 56 bytes before u64
//
// An offset counts from its element to the element's key; the value follows the key. An entry that no page can hold has a
// run of pages that is read as one. Pages 0 and 1 are two metas, of which the newer whole one counts.
enum BoltFormat {
    static let magic: UInt32 = 0xED0C_DAED
    static let version: UInt32 = 2
    /// Of the files that are written. Others are read too: bbolt takes the page size of the machine.
    static let pageBytes = 4096
    static let pageHeaderBytes = 16
    static let elementBytes = 16
    static let bucketHeaderBytes = 16
    static let metaBytes = 64
    static let bucketFlag: UInt32 = 1
    /// The page of a bucket that lies in its parent may have so many bytes (bbolt's bound: a quarter of a page).
    static let inlineBytesMax = pageBytes / 4
    static let firstTreePage: UInt64 = 3

    enum PageKind: UInt16 {
        case branch = 1
        case leaf = 2
        case meta = 4
        case freelist = 16
    }
}

extension [UInt8] {
    mutating func append(littleEndian value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }
}

extension UnsafeRawBufferPointer {
    /// The caller has checked that it is inside.
    func number<Value: FixedWidthInteger>(at offset: Int, _: Value.Type = Value.self) -> Value {
        Value(littleEndian: loadUnaligned(fromByteOffset: offset, as: Value.self))
    }
}
