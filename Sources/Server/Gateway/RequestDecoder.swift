/// Turns a request's JSON into protobuf, by protojson's rules with unknown fields passed over: both names of a field; bytes in
/// any base64; whole numbers also as strings; enumerations by name or number, and a name that is unknown as none; null as
/// not there; a field at most once, and one member of a oneof.
struct RequestDecoder {
    private var reader: JSONReader
    private let schema = Schema.shared

    /// - Parameter json: One value that `JSONSyntax` has passed.
    /// - Parameter type: The message's place in the schema.
    static func decode(_ json: [UInt8], as type: Int) throws(GatewayError) -> [UInt8] {
        var decoder = RequestDecoder(reader: JSONReader(json))
        return try decoder.message(type)
    }

    private init(reader: JSONReader) {
        self.reader = reader
    }

    private mutating func message(_ type: Int) throws(GatewayError) -> [UInt8] {
        let open = try reader.next()
        guard open.kind == .objectOpen else { throw reader.unexpected(open) }
        let message = schema[message: type]
        var fields = ProtobufFields()
        var seen: UInt64 = 0
        var unions: [String] = []
        while true {
            let name = try reader.next()
            if name.kind == .objectClose { return fields.bytes }
            guard let place = message.field(name.text) else {
                try reader.skip()
                continue
            }
            let field = message.fields[place]
            guard seen & 1 << UInt64(place) == 0 else {
                throw reader.problem(at: name, "duplicate field \(reader.raw(name))")
            }
            seen |= 1 << UInt64(place)
            if reader.nextKind == .null {
                try reader.skip()
                continue
            }
            if let oneof = field.oneof {
                guard !unions.contains(oneof) else {
                    // All requests with a oneof are of this package.
                    let union = "etcdserverpb.\(message.name).\(oneof)"
                    let text = "error parsing \(reader.raw(name)), oneof \(union) is already set"
                    throw reader.problem(at: name, text)
                }
                unions.append(oneof)
            }
            try read(field, into: &fields)
        }
    }

    private mutating func read(_ field: FieldSchema, into fields: inout ProtobufFields) throws(GatewayError) {
        guard field.isRepeated else {
            if let value = try value(of: field) { Self.add(value, field.number, to: &fields) }
            return
        }
        let open = try reader.next()
        guard open.kind == .arrayOpen else { throw reader.unexpected(open) }
        var packed = ProtobufFields()
        while reader.nextKind != .arrayClose {
            switch try value(of: field) {
            // protobuf packs repeated numbers into one field.
            case .number(let number): packed.addVarint(number)
            case .bytes(let bytes): fields.add(field.number, bytes: bytes)
            case nil: break
            }
        }
        try reader.skipClose()
        if !packed.bytes.isEmpty { fields.add(field.number, bytes: packed.bytes) }
    }

    private enum Value {
        case number(UInt64)
        case bytes([UInt8])
    }

    private static func add(_ value: Value, _ number: UInt32, to fields: inout ProtobufFields) {
        switch value {
        case .number(let value): fields.add(number, varint: value)
        case .bytes(let bytes): fields.add(number, bytes: bytes)
        }
    }

    /// - Returns: `nil` for a name that the enumeration does not have: the field stays as if it were not there.
    private mutating func value(of field: FieldSchema) throws(GatewayError) -> Value? {
        if case .message(let type) = field.type { return .bytes(try message(type)) }
        let token = try reader.next()
        if case .enumeration(let type) = field.type, token.kind == .string {
            let number = schema.values(of: type).firstIndex { $0.utf8.elementsEqual(token.text) }
            return number.map { .number(UInt64($0)) }
        }
        guard let value = scalar(token, as: field.type) else {
            let text = "invalid value for \(field.type.name) field \(field.jsonName): \(reader.raw(token))"
            throw reader.problem(at: token, text)
        }
        return value
    }

    private func scalar(_ token: JSONToken, as type: FieldType) -> Value? {
        switch (type, token.kind) {
        case (.bool, .bool(let isTrue)): .number(isTrue ? 1 : 0)
        case (.int64, _): number(token, as: Int64.self).map { .number(UInt64(bitPattern: $0)) }
        case (.uint64, _): number(token, as: UInt64.self).map { .number($0) }
        case (.uint32, _): number(token, as: UInt32.self).map { .number(UInt64($0)) }
        case (.string, .string): .bytes(token.text)
        case (.bytes, .string): Base64.decode(token.text).map { .bytes($0) }
        case (.enumeration, .number): number(token, as: Int32.self).map { .number(UInt64(bitPattern: Int64($0))) }
        default: nil
        }
    }

    private func number<Number: FixedWidthInteger>(_ token: JSONToken, as type: Number.Type) -> Number? {
        switch token.kind {
        case .number: JSONNumber.whole(Array(reader.raw(token).utf8), as: type)
        case .string: JSONNumber.isNumber(token.text) ? JSONNumber.whole(token.text, as: type) : nil
        default: nil
        }
    }
}

extension JSONReader {
    /// Passes over the end of an array or object.
    mutating func skipClose() throws(GatewayError) { _ = try next() }
}
