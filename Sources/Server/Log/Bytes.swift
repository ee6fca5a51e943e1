/// Integers in the log are little-endian, and need not be aligned.
extension UnsafeRawBufferPointer {
    @inline(__always)
    func integer<Value: FixedWidthInteger>(at offset: Int, as type: Value.Type) -> Value {
        precondition(offset >= 0 && offset + MemoryLayout<Value>.size <= count, "read at \(offset) of \(count) bytes")
        return Value(littleEndian: loadUnaligned(fromByteOffset: offset, as: type))
    }

    func slice(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: self[range])
    }

    /// Whether there is nothing but zeros.
    var isZero: Bool {
        var offset = 0
        while offset + 8 <= count {
            if loadUnaligned(fromByteOffset: offset, as: UInt64.self) != 0 { return false }
            offset += 8
        }
        while offset < count {
            if self[offset] != 0 { return false }
            offset += 1
        }
        return true
    }
}

extension UnsafeMutableRawBufferPointer {
    @inline(__always)
    func store<Value: FixedWidthInteger>(_ value: Value, at offset: Int) {
        precondition(offset >= 0 && offset + MemoryLayout<Value>.size <= count, "write at \(offset) of \(count) bytes")
        storeBytes(of: value.littleEndian, toByteOffset: offset, as: Value.self)
    }
}
