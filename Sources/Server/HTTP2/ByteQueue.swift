/// Bytes of one stream that wait: for a window, or for the rest of a message.
///
/// Plain memory without reference counts; its owner frees it (`StreamTable`, `HTTP2Connection`).
struct ByteQueue {
    private var base: UnsafeMutableRawPointer?
    private var capacity = 0
    private var head = 0
    private var end = 0

    @inline(__always)
    var count: Int { end - head }
    @inline(__always)
    var isEmpty: Bool { end == head }

    var bytes: UnsafeRawBufferPointer {
        guard let base else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        return UnsafeRawBufferPointer(start: base + head, count: end - head)
    }

    /// Room for `byteCount` bytes behind the last one; valid until the next change.
    mutating func reserve(_ byteCount: Int) -> UnsafeMutableRawPointer {
        if capacity - end < byteCount { grow(byteCount) }
        return base! + end
    }

    private mutating func grow(_ byteCount: Int) {
        let used = end - head
        if let base, used + byteCount <= capacity / 2 {
            base.copyMemory(from: base + head, byteCount: used)
        } else {
            capacity = max(256, capacity * 2, used + byteCount)
            let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
            if let base {
                larger.copyMemory(from: base + head, byteCount: used)
                base.deallocate()
            }
            base = larger
        }
        head = 0
        end = used
    }

    mutating func advance(_ byteCount: Int) {
        precondition(byteCount >= 0 && byteCount <= capacity - end, "more bytes than reserved")
        end += byteCount
    }

    mutating func append(_ source: UnsafeRawPointer, count byteCount: Int) {
        guard byteCount > 0 else { return }
        reserve(byteCount).copyMemory(from: source, byteCount: byteCount)
        end += byteCount
    }

    mutating func consume(_ byteCount: Int) {
        precondition(byteCount >= 0 && byteCount <= count, "consumed more than there is")
        head += byteCount
        if head == end {
            head = 0
            end = 0
        }
    }

    /// Empties it, and gives memory above `bytesKept` back.
    mutating func clear(bytesKept: Int) {
        head = 0
        end = 0
        if capacity > bytesKept { free() }
    }

    /// For the owner's end: the value must not be used any more.
    func deallocate() { base?.deallocate() }

    mutating func free() {
        deallocate()
        base = nil
        capacity = 0
        head = 0
        end = 0
    }
}
