/// Received bytes. Every access is checked in release builds too: what reads them follows untrusted lengths, and a bug
/// there must stop the process, not read beside the buffer.
struct ByteView {
    let base: UnsafeRawPointer
    let count: Int

    init(base: UnsafeRawPointer, count: Int) {
        self.base = base
        self.count = count
    }

    init(_ buffer: UnsafeRawBufferPointer) {
        // An empty buffer may have no address; the pointer is never followed then.
        base = buffer.baseAddress ?? UnsafeRawPointer(bitPattern: 1)!
        count = buffer.count
    }

    var buffer: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    @inline(__always)
    subscript(index: Int) -> UInt8 {
        precondition(index >= 0 && index < count, "byte outside the view")
        return base.load(fromByteOffset: index, as: UInt8.self)
    }

    @inline(__always)
    func bigEndian16(at index: Int) -> UInt16 {
        precondition(index >= 0 && count - index >= 2, "bytes outside the view")
        return UInt16(bigEndian: base.loadUnaligned(fromByteOffset: index, as: UInt16.self))
    }

    @inline(__always)
    func bigEndian32(at index: Int) -> UInt32 {
        precondition(index >= 0 && count - index >= 4, "bytes outside the view")
        return UInt32(bigEndian: base.loadUnaligned(fromByteOffset: index, as: UInt32.self))
    }

    @inline(__always)
    func bigEndian64(at index: Int) -> UInt64 {
        precondition(index >= 0 && count - index >= 8, "bytes outside the view")
        return UInt64(bigEndian: base.loadUnaligned(fromByteOffset: index, as: UInt64.self))
    }

    @inline(__always)
    func slice(from start: Int, count length: Int) -> ByteView {
        precondition(start >= 0 && length >= 0 && length <= count - start, "slice outside the view")
        return ByteView(base: base + start, count: length)
    }

    /// Equality with an ASCII literal.
    func equals(_ text: StaticString) -> Bool {
        guard text.utf8CodeUnitCount == count else { return false }
        for index in 0..<count where base.load(fromByteOffset: index, as: UInt8.self) != text.utf8Start[index] {
            return false
        }
        return true
    }

    func hasPrefix(_ text: StaticString) -> Bool {
        let length = text.utf8CodeUnitCount
        return length <= count && slice(from: 0, count: length).equals(text)
    }
}
