/// Puts the fields of a command into memory of the right size.
struct CommandWriter {
    private let memory: UnsafeMutableRawBufferPointer
    private var offset = 0

    init(_ memory: UnsafeMutableRawBufferPointer) {
        self.memory = memory
    }

    var isFull: Bool { offset == memory.count }

    mutating func byte(_ byte: UInt8) {
        precondition(offset < memory.count, "a command is longer than its size")
        memory[offset] = byte
        offset += 1
    }

    mutating func fixed(_ value: UInt64) {
        precondition(memory.count - offset >= 8, "a command is longer than its size")
        memory.storeBytes(of: value.littleEndian, toByteOffset: offset, as: UInt64.self)
        offset += 8
    }

    mutating func unsigned(_ value: UInt64) {
        var value = value
        while value >= 0x80 {
            byte(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        byte(UInt8(truncatingIfNeeded: value))
    }

    mutating func signed(_ value: Int64) { unsigned(Self.zigzag(value)) }

    mutating func bytes(_ bytes: [UInt8]) {
        unsigned(UInt64(bytes.count))
        bytes.withUnsafeBytes { raw($0) }
    }

    mutating func string(_ string: String) {
        var string = string
        string.withUTF8 { utf8 in
            unsigned(UInt64(utf8.count))
            raw(UnsafeRawBufferPointer(utf8))
        }
    }

    mutating func strings(_ strings: [String]) {
        unsigned(UInt64(strings.count))
        for string in strings { self.string(string) }
    }

    private mutating func raw(_ bytes: UnsafeRawBufferPointer) {
        precondition(memory.count - offset >= bytes.count, "a command is longer than its size")
        UnsafeMutableRawBufferPointer(rebasing: memory[offset..<offset + bytes.count]).copyMemory(from: bytes)
        offset += bytes.count
    }

    private static func zigzag(_ value: Int64) -> UInt64 { UInt64(bitPattern: (value << 1) ^ (value >> 63)) }

    /// Bytes of a varint: seven bits each, at least one.
    static func size(_ value: UInt64) -> Int { (70 - (value | 1).leadingZeroBitCount) / 7 }

    static func size(signed value: Int64) -> Int { size(zigzag(value)) }

    static func size(bytes count: Int) -> Int { size(UInt64(count)) + count }

    static func size(strings: [String]) -> Int {
        strings.reduce(size(UInt64(strings.count))) { $0 + size(bytes: $1.utf8.count) }
    }
}
