internal import StrakeRaft

/// Names in the log directory: `<sequence>-<first index>.log` in hexadecimal, `spare-<number>`, and the lock.
enum SegmentName {
    static let lock = "LOCK"

    static func segment(sequence: UInt64, firstIndex: LogIndex) -> String {
        digits(sequence) + "-" + digits(firstIndex.rawValue) + ".log"
    }

    static func spare(_ number: UInt64) -> String { "spare-" + digits(number) }

    static func parseSegment(_ name: String) -> (sequence: UInt64, firstIndex: LogIndex)? {
        guard name.hasSuffix(".log") else { return nil }
        let parts = name.dropLast(4).split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let sequence = number(parts[0]), let firstIndex = number(parts[1]) else { return nil }
        return (sequence, LogIndex(rawValue: firstIndex))
    }

    static func parseSpare(_ name: String) -> UInt64? {
        name.hasPrefix("spare-") ? number(name.dropFirst(6)) : nil
    }

    private static func digits(_ value: UInt64) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: 16 - text.count) + text
    }

    private static func number(_ text: Substring) -> UInt64? {
        text.utf8.count == 16 ? UInt64(text, radix: 16) : nil
    }
}
