extension RawSpan {
    /// Byte order, the shorter first when one is the start of the other: negative, zero or positive.
    ///
    /// Keys of a store share long beginnings, so eight bytes are compared at a time.
    @inline(__always)
    func compare(_ other: RawSpan) -> Int {
        let shared = Swift.min(byteCount, other.byteCount)
        var offset = 0
        while offset &+ 8 <= shared {
            let left = unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
            let right = other.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
            if left != right { return left.bigEndian < right.bigEndian ? -1 : 1 }
            offset &+= 8
        }
        while offset < shared {
            let left = unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt8.self)
            let right = other.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt8.self)
            if left != right { return left < right ? -1 : 1 }
            offset &+= 1
        }
        return byteCount - other.byteCount
    }
}

extension [UInt8] {
    func compare(_ key: RawSpan) -> Int { span.bytes.compare(key) }
}
