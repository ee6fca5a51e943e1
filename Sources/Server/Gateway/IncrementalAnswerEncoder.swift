/// Turns a long protobuf answer into JSON while its bytes come, however they are cut, in memory that does not grow with it:
/// what is kept is which messages are open, and the beginning of a number or of three bytes of base64.
///
/// It writes what `AnswerEncoder` does. But a field stands in JSON where it came, so fields have to come in their declared
/// order, and once unless they are lists. All services here write them so; what does not is no answer of theirs.
package struct IncrementalAnswerEncoder: Sendable {
    /// A message that has begun.
    private struct OpenMessage {
        let schema: MessageSchema
        /// Bytes of it that have not come. Those of a message inside do not count once that has begun.
        var rest: Int
        /// The place of its newest field.
        var place = -1
        var isInList = false
    }

    /// What comes next of the innermost message. Places are `nil` for fields that the schema does not know.
    private enum Next {
        case tag
        case number(place: Int?)
        case length(place: Int?)
        /// Bytes of a field that is read past.
        case skipped(rest: Int)
        case text(rest: Int)
        case base64(rest: Int)
    }

    private var values = AnswerEncoder(style: .spaced)
    /// The answer itself, and what is open in it.
    private var open: [OpenMessage]
    private var next = Next.tag
    private var varint = VarintReader()
    private var base64 = Base64Stream()

    /// - Parameters:
    ///   - type: The message's place in the schema.
    ///   - byteCount: All of the message.
    init(_ type: Int, byteCount: Int) {
        open = [OpenMessage(schema: Schema.shared[message: type], rest: byteCount)]
        values.writer.beginObject()
    }

    /// - Parameter bytes: What follows the bytes before.
    /// - Returns: The JSON that they make. The end of it is left to `end`.
    package mutating func take(_ bytes: UnsafeRawBufferPointer) throws(GatewayError) -> [UInt8] {
        // Base64 makes four of three, and names and numbers come to that.
        values.writer.bytes.reserveCapacity(bytes.count + bytes.count / 2)
        var input = bytes
        while try step(&input) {}
        guard input.isEmpty else { throw .malformedAnswer }
        return taken()
    }

    /// The last of the JSON, once all bytes have come.
    package mutating func end() throws(GatewayError) -> [UInt8] {
        guard open.count == 1, open[0].rest == 0, case .tag = next, varint.isAtStart else { throw .malformedAnswer }
        close()
        return taken()
    }

    private mutating func taken() -> [UInt8] {
        defer { values.writer.bytes = [] }
        return values.writer.bytes
    }

    private var innermost: Int { open.count - 1 }

    /// - Returns: False when more bytes are needed, or all have come.
    private mutating func step(_ input: inout UnsafeRawBufferPointer) throws(GatewayError) -> Bool {
        switch next {
        case .tag:
            if varint.isAtStart, open[innermost].rest == 0 {
                guard innermost > 0 else { return false }
                close()
                open.removeLast()
                return true
            }
            guard let tag = try takeVarint(&input) else { return false }
            try begin(tag)
        case .number(let place):
            guard let number = try takeVarint(&input) else { return false }
            next = .tag
            if let place { try write(number, place) }
        case .length(let place):
            guard let length = try takeVarint(&input) else { return false }
            try begin(place, length: length)
        case .skipped(let rest):
            let piece = take(rest, &input)
            guard piece.count == rest else { return wait(.skipped(rest: rest - piece.count)) }
            next = .tag
        case .text(let rest):
            let piece = take(rest, &input)
            values.writer.text(piece)
            guard piece.count == rest else { return wait(.text(rest: rest - piece.count)) }
            values.writer.raw("\"")
            next = .tag
        case .base64(let rest):
            let piece = take(rest, &input)
            base64.append(piece, isLast: piece.count == rest, to: &values.writer.bytes)
            guard piece.count == rest else { return wait(.base64(rest: rest - piece.count)) }
            values.writer.raw("\"")
            next = .tag
        }
        return true
    }

    private mutating func wait(_ next: Next) -> Bool {
        self.next = next
        return false
    }

    // MARK: Bytes

    /// At most so many. They were counted when the field's length came.
    private func take(_ count: Int, _ input: inout UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        let taken = UnsafeRawBufferPointer(rebasing: input.prefix(count))
        input = UnsafeRawBufferPointer(rebasing: input.dropFirst(taken.count))
        return taken
    }

    private mutating func takeVarint(_ input: inout UnsafeRawBufferPointer) throws(GatewayError) -> UInt64? {
        let available = input.prefix(open[innermost].rest)
        let (value, count) = try varint.take(UnsafeRawBufferPointer(rebasing: available))
        open[innermost].rest -= count
        input = UnsafeRawBufferPointer(rebasing: input.dropFirst(count))
        // The message ends inside of a number.
        if value == nil, open[innermost].rest == 0 { throw .malformedAnswer }
        return value
    }

    /// The innermost message has so many bytes, which are a field's own from here on.
    private mutating func reserve(_ count: Int) throws(GatewayError) {
        guard count <= open[innermost].rest else { throw .malformedAnswer }
        open[innermost].rest -= count
    }

    // MARK: Fields

    private mutating func begin(_ tag: UInt64) throws(GatewayError) {
        guard let number = UInt32(exactly: tag >> 3) else { throw .malformedAnswer }
        let place = open[innermost].schema.field(number)
        switch tag & 7 {
        case 0: next = .number(place: place)
        case 2: next = .length(place: place)
        // No field of the schema is of these types.
        case 1 where place == nil: try skip(8)
        case 5 where place == nil: try skip(4)
        default: throw .malformedAnswer
        }
    }

    private mutating func skip(_ count: Int) throws(GatewayError) {
        try reserve(count)
        next = .skipped(rest: count)
    }

    private mutating func begin(_ place: Int?, length: UInt64) throws(GatewayError) {
        guard let length = Int(exactly: length) else { throw .malformedAnswer }
        guard let place else { return try skip(length) }
        try reserve(length)
        let field = open[innermost].schema.fields[place]
        switch field.type {
        case .message(let type):
            try beginValue(place, field)
            values.writer.beginObject()
            open.append(OpenMessage(schema: Schema.shared[message: type], rest: length))
            next = .tag
        case .string, .bytes:
            guard length > 0 || field.isRepeated else {
                try admit(place, field)
                next = .tag
                return
            }
            try beginValue(place, field)
            values.writer.raw("\"")
            if case .string = field.type { next = .text(rest: length) } else { next = .base64(rest: length) }
        case .bool, .int64, .uint64, .uint32, .enumeration: throw .malformedAnswer
        }
    }

    private mutating func write(_ number: UInt64, _ place: Int) throws(GatewayError) {
        let field = open[innermost].schema.fields[place]
        if case .message = field.type { throw .malformedAnswer }
        if number == 0, !field.isRepeated { return try admit(place, field) }
        try beginValue(place, field)
        try values.write(field, .varint(number))
    }

    /// Up to where the value itself goes.
    private mutating func beginValue(_ place: Int, _ field: FieldSchema) throws(GatewayError) {
        let isFirst = place != open[innermost].place
        try admit(place, field)
        if isFirst { values.writer.name(field.name) }
        guard field.isRepeated else { return }
        if isFirst {
            values.writer.beginArray()
            open[innermost].isInList = true
        }
        values.writer.separate()
    }

    /// A field may stand behind those before.
    private mutating func admit(_ place: Int, _ field: FieldSchema) throws(GatewayError) {
        let last = open[innermost].place
        guard place > last || (place == last && field.isRepeated) else { throw .malformedAnswer }
        guard place > last else { return }
        endList()
        open[innermost].place = place
    }

    private mutating func endList() {
        guard open[innermost].isInList else { return }
        values.writer.endArray()
        open[innermost].isInList = false
    }

    /// The innermost message has ended.
    private mutating func close() {
        endList()
        values.writer.endObject()
    }
}

/// A varint whose bytes may come apart.
private struct VarintReader {
    private var value: UInt64 = 0
    private var shift: UInt64 = 0

    var isAtStart: Bool { shift == 0 }

    /// - Returns: The number, once its last byte is there, and how many of the bytes are the number's.
    mutating func take(_ bytes: UnsafeRawBufferPointer) throws(GatewayError) -> (UInt64?, count: Int) {
        for index in bytes.indices {
            guard shift < 70 else { throw .malformedAnswer }
            value |= UInt64(bytes[index] & 0x7F) << shift
            shift += 7
            guard bytes[index] < 0x80 else { continue }
            defer { self = VarintReader() }
            return (value, index + 1)
        }
        return (nil, bytes.count)
    }
}
