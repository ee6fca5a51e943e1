internal import StrakeModel
internal import StrakeTables

/// A key of an answer that is to be sorted: what it is sorted by, and where to find it. Not the value.
struct SortReference {
    /// Ascending. Of a value or a key its first 16 bytes, so equal ranks need a look at the rest.
    var rank: (UInt64, UInt64)
    /// Place in key order: settles what the target leaves equal.
    var sequence: Int
    var revision: Revision
    /// Whatever the caller's measure said.
    var size: Int

    static func rank(_ number: Int64) -> (UInt64, UInt64) {
        (UInt64(bitPattern: number) ^ (1 << 63), 0)
    }

    static func rank(_ bytes: UnsafeRawBufferPointer) -> (UInt64, UInt64) {
        var rank: (UInt64, UInt64) = (0, 0)
        withUnsafeMutableBytes(of: &rank) { $0.copyBytes(from: bytes.prefix(16)) }
        return (rank.0.bigEndian, rank.1.bigEndian)
    }
}

/// Which of two references an answer has first.
struct SortRule {
    var target: RangeRequest.SortTarget
    var isDescending: Bool

    func precedes(
        _ left: SortReference, _ right: SortReference, value: (Revision) throws(TableError) -> [UInt8]
    ) throws(TableError) -> Bool {
        if target == .key { return isDescending ? left.sequence > right.sequence : left.sequence < right.sequence }
        if left.rank != right.rank { return (left.rank < right.rank) != isDescending }
        if target == .value {
            let leftValue = try value(left.revision)
            let rightValue = try value(right.revision)
            if leftValue != rightValue { return leftValue.precedes(rightValue) != isDescending }
        }
        return left.sequence < right.sequence
    }
}
