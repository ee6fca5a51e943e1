/// The fields of a line, taken out one by one, so that one which nobody asked for is noticed.
struct HistoryLine {
    struct Problem: Error {
        var reason: String

        init(_ reason: String) {
            self.reason = reason
        }
    }

    private var fields: [JSONValue.Field]

    init(_ text: [UInt8]) throws(Problem) {
        let value: JSONValue
        do throws(JSONValue.Malformed) { value = try JSONValue(text) } catch {
            throw Problem("byte \(error.offset + 1): \(error.reason)")
        }
        guard case .object(let fields) = value else { throw Problem("the line is no object") }
        self.fields = fields
    }

    private init(_ fields: [JSONValue.Field]) {
        self.fields = fields
    }

    private mutating func take(_ name: String) -> JSONValue? {
        guard let place = fields.firstIndex(where: { $0.name == name }) else { return nil }
        return fields.remove(at: place).value
    }

    private mutating func needed(_ name: String) throws(Problem) -> JSONValue {
        guard let value = take(name) else { throw Problem("\"\(name)\" is missing") }
        return value
    }

    mutating func integer(_ name: String, atLeast least: Int64 = .min) throws(Problem) -> Int64 {
        guard case .integer(let number) = try needed(name) else { throw Problem("\"\(name)\" is no integer") }
        guard number >= least else { throw Problem("\"\(name)\" is \(number), below \(least)") }
        return number
    }

    mutating func optionalInteger(_ name: String, atLeast least: Int64) throws(Problem) -> Int64? {
        fields.contains { $0.name == name } ? try integer(name, atLeast: least) : nil
    }

    mutating func integerOrNull(_ name: String) throws(Problem) -> Int64? {
        switch try needed(name) {
        case .integer(let number): return number
        case .null: return nil
        case .bool, .string, .object: throw Problem("\"\(name)\" is neither an integer nor null")
        }
    }

    mutating func string(_ name: String) throws(Problem) -> String {
        guard case .string(let text) = try needed(name) else { throw Problem("\"\(name)\" is no string") }
        return text
    }

    mutating func optionalString(_ name: String) throws(Problem) -> String? {
        fields.contains { $0.name == name } ? try string(name) : nil
    }

    mutating func bool(_ name: String) throws(Problem) -> Bool {
        guard case .bool(let flag) = try needed(name) else { throw Problem("\"\(name)\" is neither true nor false") }
        return flag
    }

    mutating func objectOrNull(_ name: String) throws(Problem) -> HistoryLine? {
        switch try needed(name) {
        case .object(let fields): return HistoryLine(fields)
        case .null: return nil
        case .bool, .string, .integer: throw Problem("\"\(name)\" is neither an object nor null")
        }
    }

    func checkAllUsed() throws(Problem) {
        guard let field = fields.first else { return }
        throw Problem("\"\(field.name)\" has no meaning here")
    }
}
