/// A body as it comes: taken apart into its JSON values.
package struct RequestBody {
    private var syntax = JSONSyntax()
    /// The value that has begun.
    private var value: [UInt8] = []
    private let bytesMax: Int

    /// - Parameter bytesMax: The longest value taken.
    package init(bytesMax: Int) {
        self.bytesMax = bytesMax
    }

    /// Takes a piece of the body.
    ///
    /// - Parameter found: Gets the values that end in it.
    package mutating func append(
        _ piece: UnsafeRawBufferPointer, _ found: ([UInt8]) throws(GatewayError) -> Void
    ) throws(GatewayError) {
        var index = 0
        while index < piece.count {
            let plain = syntax.plainCount(piece[index...])
            if plain > 0 {
                try keep(piece[index..<index + plain])
                index += plain
                continue
            }
            switch try syntax.take(piece[index]) {
            case .incomplete:
                // Space before a value is no part of it: places in messages are counted from where it begins.
                if !syntax.isBlank { try keep(piece[index...index]) }
            case .ends:
                try keep(piece[index...index])
                try found(take())
            case .endsBefore:
                try found(take())
                continue
            }
            index += 1
        }
    }

    /// The body is over.
    ///
    /// - Returns: A value that only this ends.
    package mutating func end() throws(GatewayError) -> [UInt8]? {
        if syntax.endsWithInput { return take() }
        guard syntax.isBlank else { throw .invalid("unexpected EOF") }
        return nil
    }

    private mutating func keep(_ bytes: Slice<UnsafeRawBufferPointer>) throws(GatewayError) {
        guard value.count + bytes.count <= bytesMax else { throw .invalid("etcdserver: request is too large") }
        value.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes))
    }

    private mutating func take() -> [UInt8] {
        defer { value = [] }
        return value
    }
}
