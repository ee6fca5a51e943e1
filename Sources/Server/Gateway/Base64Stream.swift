/// Base64 of bytes that come in pieces, each of any length.
struct Base64Stream {
    /// Fewer than three bytes that wait for the next piece.
    private var carry: [UInt8] = []

    /// - Parameter isLast: Nothing follows of these bytes; the next piece is another's.
    mutating func append(_ piece: UnsafeRawBufferPointer, isLast: Bool, to text: inout [UInt8]) {
        var rest = piece
        if !carry.isEmpty {
            let missing = rest.prefix(3 - carry.count)
            carry += missing
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(missing.count))
            guard carry.count == 3 || isLast else { return }
            carry.withUnsafeBytes { Base64.append($0, to: &text) }
            carry.removeAll(keepingCapacity: true)
        }
        let count = isLast ? rest.count : rest.count / 3 * 3
        Base64.append(UnsafeRawBufferPointer(rebasing: rest.prefix(count)), to: &text)
        carry += rest.dropFirst(count)
    }
}
