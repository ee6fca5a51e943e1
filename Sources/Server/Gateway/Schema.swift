/// The messages and enumerations that the gateway knows, made of `SchemaText` when the first request comes.
package struct Schema: Sendable {
    package static let shared = Schema(messages: SchemaText.messages, enumerations: SchemaText.enumerations)

    private let messages: [MessageSchema]
    private let enumerations: [[String]]
    private let places: [String: Int]

    subscript(message place: Int) -> MessageSchema { messages[place] }

    /// The names of an enumeration's values, which are numbered from 0.
    func values(of enumeration: Int) -> [String] { enumerations[enumeration] }

    /// The place of a message.
    func place(of message: String) -> Int {
        guard let place = places[message] else { preconditionFailure("no message \(message)") }
        return place
    }

    /// - Parameters:
    ///   - messages: A message a line: its name and a colon, then its fields, comma-separated. A field is its name, its number
    ///     and its type; `*` behind the type makes it repeated, `@` and a name a member of that oneof.
    ///   - enumerations: An enumeration a line: its name and a colon, then its values.
    init(messages: String, enumerations: String) {
        let messageLines = Self.lines(messages)
        let enumerationLines = Self.lines(enumerations)
        self.enumerations = enumerationLines.map { $0.rest.split(separator: " ").map(String.init) }
        let places = Dictionary(uniqueKeysWithValues: messageLines.enumerated().map { ($1.name, $0) })
        let enumerationPlaces = Dictionary(uniqueKeysWithValues: enumerationLines.enumerated().map { ($1.name, $0) })
        self.places = places
        self.messages = messageLines.map { line in
            let fields = line.rest.split(separator: ",").map { text in
                Self.field(text, messages: places, enumerations: enumerationPlaces)
            }
            return MessageSchema(name: line.name, fields: fields)
        }
    }

    private static func lines(_ text: String) -> [(name: String, rest: Substring)] {
        text.split(separator: "\n").map { line in
            guard let colon = line.firstIndex(of: ":") else { preconditionFailure("no name in \"\(line)\"") }
            return (String(line[..<colon]), line[line.index(after: colon)...])
        }
    }

    private static func field(
        _ text: Substring, messages: [String: Int], enumerations: [String: Int]
    ) -> FieldSchema {
        let words = text.split(separator: " ")
        guard words.count == 3, let number = UInt32(words[1]) else { preconditionFailure("no field in \"\(text)\"") }
        let parts = words[2].split(separator: "@", maxSplits: 1)
        let isRepeated = parts[0].hasSuffix("*")
        let name = String(isRepeated ? parts[0].dropLast() : parts[0])
        let type: FieldType
        switch name {
        case "bool": type = .bool
        case "int64": type = .int64
        case "uint64": type = .uint64
        case "uint32": type = .uint32
        case "string": type = .string
        case "bytes": type = .bytes
        default:
            if let place = messages[name] {
                type = .message(place)
            } else if let place = enumerations[name] {
                type = .enumeration(place)
            } else {
                preconditionFailure("no type \(name)")
            }
        }
        return FieldSchema(
            name: String(words[0]), number: number, type: type, isRepeated: isRepeated,
            oneof: parts.count == 2 ? String(parts[1]) : nil)
    }
}
