/// The order of keys: byte by byte, the shorter first when one is the start of the other.
enum KeyOrder {
    /// Below zero, zero or above zero, as `left` sorts before, with or after `right`.
    @inline(__always)
    static func compare(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int {
        let shared = min(left.count, right.count)
        var offset = 0
        // Eight bytes at a time: big-endian numbers order as their bytes do.
        while offset + 8 <= shared {
            let a = UInt64(bigEndian: left.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            let b = UInt64(bigEndian: right.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            if a != b { return a < b ? -1 : 1 }
            offset += 8
        }
        while offset < shared {
            let a = left[offset]
            let b = right[offset]
            if a != b { return a < b ? -1 : 1 }
            offset += 1
        }
        return left.count - right.count
    }

    /// How many bytes both begin with.
    static func sharedCount(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int {
        let end = min(left.count, right.count)
        var offset = 0
        while offset + 8 <= end {
            let a = left.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            let b = right.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            if a != b { return offset + (a ^ b).littleEndian.trailingZeroBitCount / 8 }
            offset += 8
        }
        while offset < end, left[offset] == right[offset] { offset += 1 }
        return offset
    }

    /// The eight bytes from `offset` on as a number that orders as they do; zeros where the key ends before.
    @inline(__always)
    static func digest(of key: UnsafeRawBufferPointer, from offset: Int) -> UInt64 {
        if key.count >= offset + 8 {
            return UInt64(bigEndian: key.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        }
        var digest: UInt64 = 0
        var shift: UInt64 = 56
        var index = offset
        while index < key.count {
            digest |= UInt64(key[index]) << shift
            shift &-= 8
            index += 1
        }
        return digest
    }
}

extension [UInt8] {
    /// Lends the elements as raw bytes, with the body's own error type.
    @inline(__always)
    func withBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        try withUnsafeBufferPointer { buffer throws(E) in try body(UnsafeRawBufferPointer(buffer)) }
    }
}
