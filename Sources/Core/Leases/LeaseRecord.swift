package import StrakeModel

/// The stored form of a lease.
///
/// All numbers are big-endian: version (1 byte, 1), id (8), ttl (8), remaining (8).
package enum LeaseRecord {
    package enum Failure: Error, Hashable, Sendable {
        case wrongLength(Int)
        case unknownVersion(UInt8)
        case invalidFields
    }

    private static let version: UInt8 = 1
    private static let length = 25

    package static func encode(_ lease: Lease) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(length)
        bytes.append(version)
        append(UInt64(bitPattern: lease.id.rawValue), to: &bytes)
        append(UInt64(bitPattern: lease.ttl), to: &bytes)
        append(UInt64(bitPattern: lease.remaining), to: &bytes)
        return bytes
    }

    package static func decode(_ bytes: [UInt8]) throws(Failure) -> Lease {
        // The version comes first: another one may have another length.
        guard let found = bytes.first else { throw .wrongLength(0) }
        guard found == version else { throw .unknownVersion(found) }
        guard bytes.count == length else { throw .wrongLength(bytes.count) }
        let id = LeaseID(rawValue: number(in: bytes, at: 1))
        let ttl = number(in: bytes, at: 9)
        let remaining = number(in: bytes, at: 17)
        guard id != .none, ttl >= 1, ttl <= LeaseTTL.max, remaining >= 0, remaining <= ttl else {
            throw .invalidFields
        }
        return Lease(id: id, ttl: ttl, remaining: remaining)
    }

    /// A key that sorts as the id does, negative ones first.
    package static func key(_ id: LeaseID) -> [UInt8] {
        var bytes: [UInt8] = []
        append(UInt64(bitPattern: id.rawValue) ^ (1 << 63), to: &bytes)
        return bytes
    }

    private static func append(_ number: UInt64, to bytes: inout [UInt8]) {
        for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: number >> shift)) }
    }

    private static func number(in bytes: [UInt8], at offset: Int) -> Int64 {
        var number: UInt64 = 0
        for byte in bytes[offset..<offset + 8] { number = number << 8 | UInt64(byte) }
        return Int64(bitPattern: number)
    }
}
