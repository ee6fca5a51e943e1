internal import StrakeChecksum
internal import StrakeRaft

/// The text of the file `STRAKE`, which makes a directory a data directory:
///
///     strake data directory
///     format 1
///     cluster 00000000000000ab
///     member 0000000000000001
///     checksum 1a2b3c4d
///
/// The checksum is the CRC-32C of the lines before it. The first two lines stay as they are in every format.
enum FormatFile {
    enum Problem: Error, Equatable {
        case damaged
        case unsupportedFormat(UInt32)
    }

    static let format: UInt32 = 1
    private static let title = "strake data directory"

    static func encode(_ identity: MemberIdentity) -> [UInt8] {
        let lines = """
            \(title)
            format \(format)
            cluster \(hexadecimal(identity.cluster, digits: 16))
            member \(hexadecimal(identity.member.rawValue, digits: 16))

            """
        let checksum = CRC32C.checksum(Array(lines.utf8))
        return Array("\(lines)checksum \(hexadecimal(UInt64(checksum), digits: 8))\n".utf8)
    }

    static func decode(_ bytes: [UInt8]) throws(Problem) -> MemberIdentity {
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count >= 2, lines[0] == title, lines[1].hasPrefix("format "),
            let found = UInt32(lines[1].dropFirst(7))
        else { throw .damaged }
        guard found == format else { throw .unsupportedFormat(found) }
        guard lines.count == 6, let cluster = UInt64(lines[2].dropFirst(8), radix: 16),
            let member = UInt64(lines[3].dropFirst(7), radix: 16)
        else { throw .damaged }
        let identity = MemberIdentity(cluster: cluster, member: MemberID(rawValue: member))
        // There is one way to write it, so this compares the checksum and everything else.
        guard encode(identity) == bytes else { throw .damaged }
        return identity
    }

    private static func hexadecimal(_ value: UInt64, digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: digits - text.count) + text
    }
}
