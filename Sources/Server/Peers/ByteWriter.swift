/// Writes little-endian integers and bytes into memory that was sized for them beforehand.
package struct ByteWriter {
    private let memory: UnsafeMutableRawBufferPointer
    package private(set) var count = 0

    package init(_ memory: UnsafeMutableRawBufferPointer) {
        self.memory = memory
    }

    package mutating func add<Value: FixedWidthInteger>(_ value: Value) {
        precondition(memory.count - count >= MemoryLayout<Value>.size, "an encoding longer than its size")
        memory.storeBytes(of: value.littleEndian, toByteOffset: count, as: Value.self)
        count += MemoryLayout<Value>.size
    }

    mutating func add(_ flag: Bool) {
        add(UInt8(flag ? 1 : 0))
    }

    mutating func add(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { add($0) }
    }

    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        precondition(memory.count - count >= bytes.count, "an encoding longer than its size")
        if bytes.isEmpty { return }
        UnsafeMutableRawBufferPointer(rebasing: memory[count...]).copyMemory(from: bytes)
        count += bytes.count
    }
}
