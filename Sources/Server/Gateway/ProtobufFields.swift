/// Puts a protobuf message together, field by field.
struct ProtobufFields {
    private(set) var bytes: [UInt8] = []

    mutating func add(_ number: UInt32, varint value: UInt64) {
        addVarint(UInt64(number) << 3)
        addVarint(value)
    }

    mutating func add(_ number: UInt32, bytes payload: [UInt8]) {
        addVarint(UInt64(number) << 3 | 2)
        addVarint(UInt64(payload.count))
        bytes += payload
    }

    mutating func addVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}

/// Takes a protobuf message apart, field by field.
struct ProtobufFieldReader {
    enum Value {
        case varint(UInt64)
        case bytes(UnsafeRawBufferPointer)
        /// Of a type that no field here has.
        case other
    }

    private let memory: UnsafeRawBufferPointer
    private var position = 0

    init(_ memory: UnsafeRawBufferPointer) {
        self.memory = memory
    }

    var isAtEnd: Bool { position == memory.count }

    mutating func next() throws(GatewayError) -> (number: UInt32, value: Value) {
        let tag = try varint()
        guard let number = UInt32(exactly: tag >> 3) else { throw .malformedAnswer }
        switch tag & 7 {
        case 0: return (number, .varint(try varint()))
        case 1:
            try advance(8)
            return (number, .other)
        case 2:
            guard let count = Int(exactly: try varint()) else { throw .malformedAnswer }
            let start = position
            try advance(count)
            return (number, .bytes(UnsafeRawBufferPointer(rebasing: memory[start..<position])))
        case 5:
            try advance(4)
            return (number, .other)
        default: throw .malformedAnswer
        }
    }

    mutating func varint() throws(GatewayError) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: 0, to: 70, by: 7) {
            guard position < memory.count else { throw .malformedAnswer }
            let byte = memory[position]
            position += 1
            value |= UInt64(byte & 0x7F) << UInt64(shift)
            if byte < 0x80 { return value }
        }
        throw .malformedAnswer
    }

    private mutating func advance(_ count: Int) throws(GatewayError) {
        guard count >= 0, count <= memory.count - position else { throw .malformedAnswer }
        position += count
    }
}
