internal import CChecksum

/// CRC-32C, the checksum of log records, history records and snapshots.
public struct CRC32C: Hashable, Sendable {
    /// The checksum of what was added so far.
    public private(set) var value: UInt32

    /// Starts empty, or goes on from a checksum computed earlier.
    public init(resuming value: UInt32 = 0) {
        self.value = value
    }

    public mutating func add(_ bytes: UnsafeRawBufferPointer) {
        value = strake_crc32c(value, bytes.baseAddress, bytes.count)
    }

    public mutating func add(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { add($0) }
    }

    public static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        strake_crc32c(0, bytes.baseAddress, bytes.count)
    }

    public static func checksum(_ bytes: [UInt8]) -> UInt32 {
        bytes.withUnsafeBytes { checksum($0) }
    }
}
