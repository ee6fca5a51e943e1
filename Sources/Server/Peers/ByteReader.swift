/// Reads what a member sent. Total: any bytes give a value or an error. Integers are little-endian.
package struct ByteReader {
    private let bytes: UnsafeRawBufferPointer
    private var offset = 0

    package init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    package var remaining: Int { bytes.count - offset }

    mutating func integer<Value: FixedWidthInteger>(_ type: Value.Type) throws(PeerProtocolError) -> Value {
        guard remaining >= MemoryLayout<Value>.size else { throw .truncated }
        let value = Value(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: type))
        offset += MemoryLayout<Value>.size
        return value
    }

    /// A byte that says yes or no.
    mutating func flag(_ field: StaticString) throws(PeerProtocolError) -> Bool {
        let value = try integer(UInt8.self)
        guard value <= 1 else { throw .malformed(field) }
        return value == 1
    }

    mutating func array(_ count: Int) throws(PeerProtocolError) -> [UInt8] {
        guard count >= 0, remaining >= count else { throw .truncated }
        let start = offset
        offset += count
        return [UInt8](UnsafeRawBufferPointer(rebasing: bytes[start..<offset]))
    }

    /// A count of things that take at least `each` bytes: no more than can still come.
    mutating func count(each: Int) throws(PeerProtocolError) -> Int {
        let count = Int(try integer(UInt32.self))
        guard count <= remaining / each else { throw .truncated }
        return count
    }

    /// All that is left.
    mutating func rest() -> [UInt8] {
        defer { offset = bytes.count }
        return [UInt8](UnsafeRawBufferPointer(rebasing: bytes[offset...]))
    }

    func requireEnd() throws(PeerProtocolError) {
        guard remaining == 0 else { throw .malformed("length") }
    }
}
