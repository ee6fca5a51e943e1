/// Turns a protobuf answer into JSON: names as in the contract, fields in their declared order, what has its default left
/// out, bytes in base64, 64-bit numbers as strings, enumerations by name.
struct AnswerEncoder {
    var writer: JSONWriter
    private let schema = Schema.shared

    init(style: JSONWriter.Style) {
        writer = JSONWriter(style: style)
    }

    /// A field as it was found in the bytes.
    private struct Found {
        var place: Int
        var value: ProtobufFieldReader.Value
    }

    /// - Parameter type: The message's place in the schema.
    mutating func message(_ memory: UnsafeRawBufferPointer, _ type: Int) throws(GatewayError) {
        let message = schema[message: type]
        let found = try fields(of: message, memory)
        writer.beginObject()
        var index = 0
        while index < found.count {
            let field = message.fields[found[index].place]
            var end = index + 1
            while end < found.count, found[end].place == found[index].place { end += 1 }
            if field.isRepeated {
                try list(field, found[index..<end])
            } else {
                // protobuf's rule for a field that comes twice: the last one counts.
                try single(field, found[end - 1].value)
            }
            index = end
        }
        writer.endObject()
    }

    /// The fields that the schema knows, in its order.
    private func fields(of message: MessageSchema, _ memory: UnsafeRawBufferPointer) throws(GatewayError) -> [Found] {
        var found: [Found] = []
        var isSorted = true
        var reader = ProtobufFieldReader(memory)
        while !reader.isAtEnd {
            let (number, value) = try reader.next()
            guard let place = message.field(number) else { continue }
            if let last = found.last, last.place > place { isSorted = false }
            found.append(Found(place: place, value: value))
        }
        // Stable: elements of a list keep their order.
        if !isSorted {
            let order = found.indices.sorted { (found[$0].place, $0) < (found[$1].place, $1) }
            found = order.map { found[$0] }
        }
        return found
    }

    private mutating func list(_ field: FieldSchema, _ found: ArraySlice<Found>) throws(GatewayError) {
        writer.name(field.name)
        writer.beginArray()
        for element in found {
            writer.separate()
            try write(field, element.value)
        }
        writer.endArray()
    }

    private mutating func single(_ field: FieldSchema, _ value: ProtobufFieldReader.Value) throws(GatewayError) {
        if case .message = field.type {
            // A message is there even when nothing is in it.
        } else {
            switch value {
            case .varint(0): return
            case .bytes(let bytes): if bytes.isEmpty { return }
            case .varint, .other: break
            }
        }
        writer.name(field.name)
        try write(field, value)
    }

    mutating func write(_ field: FieldSchema, _ value: ProtobufFieldReader.Value) throws(GatewayError) {
        switch (field.type, value) {
        case (.bool, .varint(let number)): writer.raw(number == 0 ? "false" : "true")
        case (.int64, .varint(let number)): quoted(String(Int64(bitPattern: number)))
        case (.uint64, .varint(let number)): quoted(String(number))
        case (.uint32, .varint(let number)): writer.raw(String(UInt32(truncatingIfNeeded: number)))
        case (.enumeration(let type), .varint(let number)):
            let values = schema.values(of: type)
            if number < values.count {
                quoted(values[Int(number)])
            } else {
                writer.raw(String(Int32(truncatingIfNeeded: number)))
            }
        case (.string, .bytes(let bytes)): writer.string(bytes)
        case (.bytes, .bytes(let bytes)):
            writer.raw("\"")
            Base64.append(bytes, to: &writer.bytes)
            writer.raw("\"")
        case (.message(let type), .bytes(let bytes)): try message(bytes, type)
        default: throw .malformedAnswer
        }
    }

    private mutating func quoted(_ text: String) {
        writer.raw("\"")
        writer.raw(text)
        writer.raw("\"")
    }
}
