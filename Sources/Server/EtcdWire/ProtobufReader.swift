/// Why bytes are not the protobuf message they should be.
package enum ProtobufError: Error, Hashable, Sendable {
    /// A field ends after its message does.
    case truncated
    /// A varint of more than 64 bits.
    case varintOverflow
    /// A field number of zero or above 2^29 - 1, or a wire type that does not exist.
    case invalidTag
    /// Groups, which proto3 does not have.
    case group
    /// A string that is not UTF-8.
    case invalidString
    /// Messages inside messages beyond what a request may have.
    case tooDeep
}

/// Takes the fields of one message off the front of its bytes. Whatever the bytes are, it throws and never traps.
///
/// The bytes must outlive the reader and what it returns.
package struct ProtobufReader {
    private var cursor: UnsafeRawPointer
    private let end: UnsafeRawPointer

    package init(_ bytes: UnsafeRawBufferPointer) {
        // An empty buffer may have no address; any will do, since nothing is read through it.
        cursor = bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 1)!
        end = cursor + bytes.count
    }

    package var isAtEnd: Bool { cursor == end }

    /// The next field's number and wire type, as on the wire: number * 8 + type. Zero at the end of the message.
    @inline(__always)
    package mutating func nextTag() throws(ProtobufError) -> UInt32 {
        if cursor == end { return 0 }
        let tag = try varint()
        guard let tag = UInt32(exactly: tag), tag >= 8 else { throw .invalidTag }
        return tag
    }

    @inline(__always)
    package mutating func varint() throws(ProtobufError) -> UInt64 {
        guard cursor < end else { throw .truncated }
        let first = cursor.load(as: UInt8.self)
        cursor += 1
        if first < 0x80 { return UInt64(first) }
        return try longVarint(after: first)
    }

    private mutating func longVarint(after first: UInt8) throws(ProtobufError) -> UInt64 {
        var value = UInt64(first & 0x7f)
        var shift: UInt64 = 7
        while cursor < end {
            let byte = cursor.load(as: UInt8.self)
            cursor += 1
            // The tenth byte has one bit left to give.
            guard shift < 63 || byte <= 1 else { throw .varintOverflow }
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        throw .truncated
    }

    package mutating func int64() throws(ProtobufError) -> Int64 { Int64(bitPattern: try varint()) }

    package mutating func bool() throws(ProtobufError) -> Bool { try varint() != 0 }

    /// An enum's number: its low 32 bits count.
    package mutating func int32() throws(ProtobufError) -> Int32 { Int32(truncatingIfNeeded: try varint()) }

    /// A bytes field or a nested message, in place.
    @inline(__always)
    package mutating func bytes() throws(ProtobufError) -> UnsafeRawBufferPointer {
        let count = try varint()
        guard count <= UInt64(end - cursor) else { throw .truncated }
        defer { cursor += Int(count) }
        return UnsafeRawBufferPointer(start: cursor, count: Int(count))
    }

    package mutating func string() throws(ProtobufError) -> String {
        guard let string = String(validating: try bytes(), as: UTF8.self) else { throw .invalidString }
        return string
    }

    /// Passes over a field that nobody asked for: an unknown one, or a known one with another wire type.
    package mutating func skip(_ tag: UInt32) throws(ProtobufError) {
        switch tag & 7 {
        case 0: _ = try varint()
        case 1: try skip(count: 8)
        case 2: _ = try bytes()
        case 3, 4: throw .group
        case 5: try skip(count: 4)
        default: throw .invalidTag
        }
    }

    private mutating func skip(count: Int) throws(ProtobufError) {
        guard end - cursor >= count else { throw .truncated }
        cursor += count
    }
}

/// A field's tag on the wire, for the two wire types that these messages use.
enum Tag {
    static func varint(_ field: UInt32) -> UInt32 { field << 3 }
    static func bytes(_ field: UInt32) -> UInt32 { field << 3 | 2 }
}
