/// Memory for a record that is stored in several rows, used again for the next one.
package struct RecordBuffer: ~Copyable {
    private var memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)

    package init() {}

    deinit { memory.deallocate() }

    /// At least `count` bytes, the first `keeping` as they were.
    mutating func reserve(_ count: Int, keeping: Int = 0) -> UnsafeMutableRawBufferPointer {
        if memory.count < count {
            let grown = UnsafeMutableRawBufferPointer.allocate(
                byteCount: max(count, 2 * memory.count, Self.bytesMin), alignment: 16)
            if keeping > 0 { grown.copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[..<keeping])) }
            memory.deallocate()
            memory = grown
        }
        return UnsafeMutableRawBufferPointer(rebasing: memory[..<count])
    }

    private static var bytesMin: Int { 1_024 }
}
