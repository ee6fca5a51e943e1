/// What a field holds.
enum FieldType: Sendable {
    case bool
    case int64
    case uint64
    case uint32
    case string
    case bytes
    /// An enumeration, by its place in the schema.
    case enumeration(Int)
    /// A message, by its place in the schema.
    case message(Int)

    /// protobuf's word for it.
    var name: String {
        switch self {
        case .bool: "bool"
        case .int64: "int64"
        case .uint64: "uint64"
        case .uint32: "uint32"
        case .string: "string"
        case .bytes: "bytes"
        case .enumeration: "enum"
        case .message: "message"
        }
    }
}

/// A field of a message.
struct FieldSchema: Sendable {
    let name: String
    /// The other name that a request may use: `range_end` is `rangeEnd` too.
    let jsonName: String
    let number: UInt32
    let type: FieldType
    let isRepeated: Bool
    /// The oneof it is a member of.
    let oneof: String?

    init(name: String, number: UInt32, type: FieldType, isRepeated: Bool, oneof: String?) {
        self.name = name
        self.number = number
        self.type = type
        self.isRepeated = isRepeated
        self.oneof = oneof
        let words = name.split(separator: "_")
        jsonName = words[0] + words.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }
}

/// A message: its fields in the order in which JSON has them.
package struct MessageSchema: Sendable {
    let name: String
    let fields: [FieldSchema]

    /// The place of the field with this number.
    func field(_ number: UInt32) -> Int? { fields.firstIndex { $0.number == number } }

    /// The place of the field that JSON calls so.
    func field(_ name: [UInt8]) -> Int? {
        fields.firstIndex { $0.jsonName.utf8.elementsEqual(name) || $0.name.utf8.elementsEqual(name) }
    }
}
