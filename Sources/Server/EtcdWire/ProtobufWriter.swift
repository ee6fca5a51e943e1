/// Puts the fields of a message, one after the other, into memory that its `encodedSize` was asked for.
///
/// Writing past the end stops the process: a size that does not fit its encoder is our bug, and the bytes behind the
/// memory are not ours.
package struct ProtobufWriter {
    private let start: UnsafeMutableRawPointer
    private var cursor: UnsafeMutableRawPointer
    private let end: UnsafeMutableRawPointer

    package init(_ memory: UnsafeMutableRawBufferPointer) {
        start = memory.baseAddress ?? UnsafeMutableRawPointer(bitPattern: 1)!
        cursor = start
        end = start + memory.count
    }

    /// Bytes written so far.
    package var count: Int { cursor - start }
    package var isFull: Bool { cursor == end }

    @inline(__always)
    private mutating func advance(_ count: Int) -> UnsafeMutableRawPointer {
        precondition(end - cursor >= count, "a message is longer than its encoded size")
        defer { cursor += count }
        return cursor
    }

    package mutating func raw(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return }
        advance(bytes.count).copyMemory(from: source, byteCount: bytes.count)
    }

    package mutating func raw(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { raw($0) }
    }

    @inline(__always)
    package mutating func varint(_ value: UInt64) {
        if value < 0x80 {
            advance(1).storeBytes(of: UInt8(truncatingIfNeeded: value), as: UInt8.self)
        } else {
            longVarint(value)
        }
    }

    private mutating func longVarint(_ value: UInt64) {
        let count = Self.size(value)
        guard end - cursor >= 10 else { return varint(value, bytes: count) }
        // All at once: the value's groups of seven bits pulled apart into bytes, and a continuation bit in each byte
        // but the last. Bytes stored above `count` are overwritten by what comes next.
        var spread = (value & 0x0fff_ffff) | (value & 0x00ff_ffff_f000_0000) << 4
        spread = (spread & 0x0000_3fff_0000_3fff) | (spread & 0x0fff_c000_0fff_c000) << 2
        spread = (spread & 0x007f_007f_007f_007f) | (spread & 0x3f80_3f80_3f80_3f80) << 1
        // A shift by 64 and more gives zero: every one of the eight bytes goes on.
        let continuation = 0x8080_8080_8080_8080 & ~(UInt64.max << UInt64(8 * (count - 1)))
        cursor.storeBytes(of: (spread | continuation).littleEndian, as: UInt64.self)
        if count > 8 {
            let rest = UInt16(value >> 56)
            let last = count == 10 ? (rest & 0x7f) | 0x80 | (rest & 0x80) << 1 : rest
            cursor.storeBytes(of: last.littleEndian, toByteOffset: 8, as: UInt16.self)
        }
        cursor += count
    }

    /// The same byte by byte, for the end of the memory.
    private mutating func varint(_ value: UInt64, bytes count: Int) {
        let place = advance(count)
        for index in 0..<count {
            let byte = UInt8(truncatingIfNeeded: value >> UInt64(7 * index)) | 0x80
            place.storeBytes(of: index == count - 1 ? byte & 0x7f : byte, toByteOffset: index, as: UInt8.self)
        }
    }

    /// Bytes of a varint: seven bits each, at least one.
    @inline(__always)
    package static func size(_ value: UInt64) -> Int {
        // (9 * bits + 64) / 64 is bits / 7 rounded up for 1 to 64 bits.
        (9 * (64 - (value | 1).leadingZeroBitCount) + 64) >> 6
    }
}

// Fields as proto3 has them: a default value is left out. Every size function counts what its writer writes.
extension ProtobufWriter {
    @inline(__always)
    private mutating func tag(_ tag: UInt32) { varint(UInt64(tag)) }

    @inline(__always)
    private static func tagSize(_ field: UInt32) -> Int { size(UInt64(field) << 3) }

    @inline(__always)
    mutating func field(_ field: UInt32, _ value: UInt64) {
        guard value != 0 else { return }
        tag(Tag.varint(field))
        varint(value)
    }

    @inline(__always)
    static func size(_ field: UInt32, _ value: UInt64) -> Int { value == 0 ? 0 : tagSize(field) + size(value) }

    @inline(__always)
    mutating func field(_ field: UInt32, _ value: Int64) { self.field(field, UInt64(bitPattern: value)) }

    @inline(__always)
    static func size(_ field: UInt32, _ value: Int64) -> Int { size(field, UInt64(bitPattern: value)) }

    @inline(__always)
    mutating func field(_ field: UInt32, _ value: Bool) { self.field(field, value ? 1 as UInt64 : 0) }

    @inline(__always)
    static func size(_ field: UInt32, _ value: Bool) -> Int { size(field, value ? 1 as UInt64 : 0) }

    mutating func field(_ field: UInt32, _ value: [UInt8]) {
        if !value.isEmpty { element(field, value) }
    }

    static func size(_ field: UInt32, _ value: [UInt8]) -> Int {
        value.isEmpty ? 0 : size(field, bytes: value.count)
    }

    mutating func field(_ field: UInt32, _ value: String) {
        if !value.isEmpty { element(field, value) }
    }

    static func size(_ field: UInt32, _ value: String) -> Int {
        value.isEmpty ? 0 : size(field, bytes: value.utf8.count)
    }

    /// One element of a repeated field: written even when it is empty.
    mutating func element(_ field: UInt32, _ value: [UInt8]) {
        value.withUnsafeBytes { element(field, $0) }
    }

    mutating func element(_ field: UInt32, _ value: UnsafeRawBufferPointer) {
        prefix(field, bytes: value.count)
        raw(value)
    }

    mutating func element(_ field: UInt32, _ value: String) {
        var value = value
        value.withUTF8 { element(field, UnsafeRawBufferPointer($0)) }
    }

    mutating func elements(_ field: UInt32, _ values: [String]) {
        for value in values { element(field, value) }
    }

    static func size(_ field: UInt32, elements values: [String]) -> Int {
        values.reduce(0) { $0 + size(field, bytes: $1.utf8.count) }
    }

    /// Tag and length of a field of `count` bytes, or of a message of that size; the caller writes the bytes.
    @inline(__always)
    mutating func prefix(_ field: UInt32, bytes count: Int) {
        tag(Tag.bytes(field))
        varint(UInt64(count))
    }

    /// A field of `count` bytes with its tag and length.
    @inline(__always)
    static func size(_ field: UInt32, bytes count: Int) -> Int { tagSize(field) + size(UInt64(count)) + count }
}
