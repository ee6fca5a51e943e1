/// Reads DER (X.690 §10) from front to back and trusts nothing in it: a length that leaves its surroundings is an error.
struct DERReader {
    enum Problem: Error {
        case malformed
    }

    static let integer: UInt8 = 0x02
    static let octetString: UInt8 = 0x04
    static let objectIdentifier: UInt8 = 0x06
    static let utcTime: UInt8 = 0x17
    static let generalizedTime: UInt8 = 0x18
    static let sequence: UInt8 = 0x30

    /// Bytes of a length; four say as much as a file may have.
    private static let lengthBytesMax = 4

    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) {
        rest = bytes
    }

    var isAtEnd: Bool { rest.isEmpty }

    /// The tag of what comes next.
    var tag: UInt8? { rest.first }

    /// Whatever comes next.
    mutating func next() throws(Problem) -> (tag: UInt8, content: ArraySlice<UInt8>) {
        guard let tag = rest.popFirst(), tag & 0x1F != 0x1F, let first = rest.popFirst() else { throw .malformed }
        var length = Int(first)
        if first >= 0x80 {
            let count = Int(first & 0x7F)
            guard count > 0, count <= Self.lengthBytesMax, count <= rest.count else { throw .malformed }
            length = rest.prefix(count).reduce(0) { $0 << 8 | Int($1) }
            rest.removeFirst(count)
        }
        guard length <= rest.count else { throw .malformed }
        let content = rest.prefix(length)
        rest.removeFirst(length)
        return (tag, content)
    }

    /// The content of what comes next, which must have the tag.
    mutating func next(_ tag: UInt8) throws(Problem) -> ArraySlice<UInt8> {
        let (found, content) = try next()
        guard found == tag else { throw .malformed }
        return content
    }

    /// Passes over what comes next if it has the tag.
    mutating func skip(_ tag: UInt8) throws(Problem) {
        if self.tag == tag { _ = try next() }
    }
}
