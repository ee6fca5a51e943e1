import StrakeChecksum

/// Writes the files of an etcd's log as etcd does.
struct EtcdLogFile {
    private(set) var bytes: [UInt8] = []
    private var checksum: CRC32C

    /// - Parameter previous: The file before this one.
    init(after previous: EtcdLogFile? = nil) {
        checksum = previous?.checksum ?? CRC32C()
        append(kind: 4, sum: checksum.value, data: [])
        add(kind: 1, [])
    }

    mutating func add(kind: UInt8, _ data: [UInt8]) {
        checksum.add(data)
        append(kind: kind, sum: checksum.value, data: data)
    }

    mutating func entry(_ index: UInt64, term: UInt64 = 1, kind: UInt64 = 0, _ data: [UInt8] = []) {
        add(kind: 2, field(1, kind) + field(2, term) + field(3, index) + field(4, data))
    }

    mutating func committed(_ index: UInt64) {
        add(kind: 3, field(1, 1) + field(2, 1) + field(3, index))
    }

    mutating func snapshot(_ index: UInt64) {
        add(kind: 5, field(1, index) + field(2, 1))
    }

    /// What etcd reserves for records to come.
    mutating func reserve(_ count: Int) {
        bytes += [UInt8](repeating: 0, count: count)
    }

    mutating func replace(_ range: Range<Int>, with byte: UInt8) {
        for index in range { bytes[index] = byte }
    }

    mutating func cut(to count: Int) {
        bytes = Array(bytes.prefix(count))
    }

    private mutating func append(kind: UInt8, sum: UInt32, data: [UInt8]) {
        let record = field(1, UInt64(kind)) + field(2, UInt64(sum)) + field(3, data)
        let padding = (8 - record.count % 8) % 8
        var word = UInt64(record.count)
        if padding > 0 { word |= UInt64(0x80 | padding) << 56 }
        bytes += withUnsafeBytes(of: word.littleEndian) { Array($0) }
        bytes += record + [UInt8](repeating: 0, count: padding)
    }
}

/// A varint field of protobuf.
func field(_ number: UInt8, _ value: UInt64) -> [UInt8] { [number << 3] + varint(value) }

/// A field of bytes, or of a message.
func field(_ number: UInt64, _ value: [UInt8]) -> [UInt8] {
    varint(number << 3 | 2) + varint(UInt64(value.count)) + value
}

private func varint(_ value: UInt64) -> [UInt8] {
    var (bytes, rest): ([UInt8], UInt64) = ([], value)
    while rest >= 0x80 {
        bytes.append(UInt8(rest & 0x7f) | 0x80)
        rest >>= 7
    }
    return bytes + [UInt8(rest)]
}
