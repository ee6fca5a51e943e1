internal import Glibc

/// Memory that ends where a page ends that nobody may touch: a decoder that reads one byte too far stops the process.
package struct GuardedMemory: ~Copyable {
    private static let pageBytes = 4_096
    /// Bytes that it holds at most.
    package static let capacity = 4 * pageBytes

    private let base: UnsafeMutableRawPointer

    package init() {
        let bytes = Self.capacity + Self.pageBytes
        let memory = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let memory, memory != MAP_FAILED, mprotect(memory + Self.capacity, Self.pageBytes, PROT_NONE) == 0 else {
            fatalError("no memory with a guard page: \(errno)")
        }
        base = memory
    }

    deinit { munmap(base, Self.capacity + Self.pageBytes) }

    /// The bytes, with the guard right behind them, until it is asked to hold others.
    package func hold(_ bytes: [UInt8]) -> UnsafeRawBufferPointer {
        precondition(bytes.count <= Self.capacity, "\(bytes.count) bytes")
        let start = base + (Self.capacity - bytes.count)
        bytes.withUnsafeBytes { UnsafeMutableRawBufferPointer(start: start, count: bytes.count).copyMemory(from: $0) }
        return UnsafeRawBufferPointer(start: start, count: bytes.count)
    }
}
