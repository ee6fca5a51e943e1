/// Bytes in the log that no power cut explains.
package struct LogCorruption: Error, Equatable, Sendable {
    package enum Problem: Error, Equatable, Sendable {
        /// The record's bytes do not match its checksum.
        case checksum(expected: UInt32, found: UInt32)
        /// The record's length, type or flags do not match their own checksum.
        case headerChecksum(expected: UInt32, found: UInt32)
        /// The file does not begin like a log segment.
        case notASegment
        /// The segment does not follow the one before it: that one lost records, or one of them is not of this log.
        case chain(expected: UInt32, found: UInt32)
        /// The file is shorter than segments are.
        case truncated(expectedBytes: Int, foundBytes: Int)
        /// Data where nothing was written.
        case unexpectedBytes
        /// The records are whole but do not make sense.
        case content(String)
    }

    package var path: String
    /// Byte offset of the damaged record.
    package var offset: Int
    package var problem: Problem
    /// Offset of a later record that was written only after the damaged place had been synced.
    package var provenBy: Int?

    package init(path: String, offset: Int, problem: Problem, provenBy: Int? = nil) {
        self.path = path
        self.offset = offset
        self.problem = problem
        self.provenBy = provenBy
    }
}

extension LogCorruption.Problem: CustomStringConvertible {
    package var description: String {
        switch self {
        case .checksum(let expected, let found):
            "the record's checksum is \(hexadecimal(found)) and should be \(hexadecimal(expected))"
        case .headerChecksum(let expected, let found):
            "the record header's checksum is \(hexadecimal(found)) and should be \(hexadecimal(expected))"
        case .notASegment: "this is not the start of a log segment"
        case .chain(let expected, let found):
            "the segment continues checksum \(hexadecimal(found)), but the one before it ends with \(hexadecimal(expected))"
        case .truncated(let expected, let found): "the file has \(found) bytes and should have \(expected)"
        case .unexpectedBytes: "there is data where nothing was written"
        case .content(let problem): problem
        }
    }

    private func hexadecimal(_ value: UInt32) -> String { "0x" + String(value, radix: 16) }
}
