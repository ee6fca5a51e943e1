/// A JSON object whose fields stand in the order they were added in, as Go writes a struct. Fields with `omitempty` are
/// left out when they have nothing to say.
struct JSONObject {
    private var fields: [String] = []

    var text: String { "{" + fields.joined(separator: ",") + "}" }

    mutating func add(_ name: String, raw: String) { fields.append(GoText.json(name) + ":" + raw) }

    mutating func add(_ name: String, _ value: String) { add(name, raw: GoText.json(value)) }
    mutating func add(_ name: String, _ value: Int64) { add(name, raw: "\(value)") }
    mutating func add(_ name: String, _ value: Bool) { add(name, raw: "\(value)") }
    mutating func add(_ name: String, _ value: JSONObject) { add(name, raw: value.text) }

    // With `omitempty`.
    mutating func addUnlessEmpty(_ name: String, _ value: Int64) { if value != 0 { add(name, value) } }
    mutating func addUnlessEmpty(_ name: String, _ value: UInt64) { if value != 0 { add(name, raw: "\(value)") } }
    mutating func addUnlessEmpty(_ name: String, _ value: Bool) { if value { add(name, value) } }
    mutating func addUnlessEmpty(_ name: String, _ value: String) { if !value.isEmpty { add(name, value) } }
    mutating func addUnlessEmpty(_ name: String, bytes: [UInt8]) {
        if !bytes.isEmpty { add(name, raw: "\"\(GoText.base64(bytes))\"") }
    }
    mutating func addUnlessEmpty(_ name: String, _ value: JSONObject?) { if let value { add(name, value) } }
    mutating func addUnlessEmpty(_ name: String, list: [String]) {
        if !list.isEmpty { add(name, raw: Self.list(list)) }
    }

    /// Of values that are JSON already.
    static func list(_ values: [String]) -> String { "[" + values.joined(separator: ",") + "]" }
}
