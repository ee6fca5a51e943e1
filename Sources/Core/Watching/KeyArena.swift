/// The keys of an index, one behind the other in one array: comparing them follows no pointer and counts no reference.
struct KeyArena {
    struct Piece {
        var offset: Int
        /// -1: no key, above all keys.
        var count: Int

        static let unbounded = Piece(offset: 0, count: -1)
        var isUnbounded: Bool { count < 0 }
    }

    private(set) var bytes: [UInt8] = []

    mutating func append(_ key: [UInt8]) -> Piece {
        let piece = Piece(offset: bytes.count, count: key.count)
        bytes.append(contentsOf: key)
        return piece
    }

    mutating func append(_ piece: Piece, from other: KeyArena) -> Piece {
        if piece.isUnbounded { return piece }
        let copy = Piece(offset: bytes.count, count: piece.count)
        bytes.append(contentsOf: other.bytes[piece.offset..<piece.offset + piece.count])
        return copy
    }

    /// Negative when the piece sorts before the key.
    @inline(__always)
    func compare(_ piece: Piece, _ key: RawSpan) -> Int {
        if piece.isUnbounded { return 1 }
        return bytes.span.bytes.extracting(unchecked: piece.offset..<piece.offset &+ piece.count).compare(key)
    }

    func compare(_ left: Piece, _ right: Piece) -> Int {
        if left.isUnbounded || right.isUnbounded { return (left.isUnbounded ? 1 : 0) - (right.isUnbounded ? 1 : 0) }
        let rightBytes = bytes.span.bytes.extracting(unchecked: right.offset..<right.offset &+ right.count)
        return compare(left, rightBytes)
    }
}
