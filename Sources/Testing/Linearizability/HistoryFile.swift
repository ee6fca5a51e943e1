/// A history that was recorded somewhere else: one operation a line, as JSON (`docs/simulation.md` has the fields).
package struct HistoryFile: Sendable {
    /// What is wrong with a line.
    package struct Malformed: Error, Hashable {
        package var line: Int
        package var reason: String

        package init(line: Int, reason: String) {
            self.line = line
            self.reason = reason
        }
    }

    /// In the order of the lines. Of each, `client` is the number of its line, from 1: who asked is not judged.
    package private(set) var operations: [Operation] = []
    /// The names of the keys, by number.
    package private(set) var keys: [String] = []
    /// The text of the operations' lines, by number.
    package private(set) var lines: [Int: String] = [:]
    private var keyNumbers: [String: Int] = [:]
    private var valueNumbers: [String: UInt64] = [:]

    /// - Parameter text: Lines; empty ones do not count.
    package init(_ text: some Collection<UInt8>) throws(Malformed) {
        var number = 0
        for line in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            if line.allSatisfy({ $0 == 0x20 || $0 == 0x0D || $0 == 0x09 }) { continue }
            do throws(HistoryLine.Problem) {
                let operation = try operation(HistoryLine(Array(line)), line: number)
                operations.append(operation)
            } catch {
                throw Malformed(line: number, reason: error.reason)
            }
            lines[number] = String(decoding: line, as: UTF8.self)
        }
    }

    private mutating func operation(
        _ line: consuming HistoryLine, line number: Int
    ) throws(HistoryLine.Problem) -> Operation {
        var line = line
        _ = try line.integer("client", atLeast: 0)
        _ = try line.optionalString("note")
        let call = try line.integer("call")
        let end = try line.integerOrNull("return")
        if let end, end < call { throw HistoryLine.Problem("\"return\" is before \"call\"") }
        let key = keyNumber(try line.string("key"))
        let name = try line.string("op")
        let request = try request(name, &line)
        let revision = try line.optionalInteger("revision", atLeast: 1)
        var outcome = Operation.Outcome.unknown
        if end != nil {
            outcome = try self.outcome(of: request, &line)
        } else if revision != nil {
            throw HistoryLine.Problem("\"revision\" stands beside a \"return\" of null")
        }
        try line.checkAllUsed()
        return Operation(
            client: number, key: key, request: request, outcome: outcome, revision: revision, invoked: call,
            returned: end ?? .max)
    }

    private mutating func request(
        _ name: String, _ line: inout HistoryLine
    ) throws(HistoryLine.Problem) -> Operation.Request {
        switch name {
        case "get": return .get
        case "put": return .put(value: valueNumber(try line.string("value")))
        case "delete": return .delete
        case "cas":
            let mod = try line.integer("mod", atLeast: 0)
            return .compareAndSet(modRevision: mod, value: valueNumber(try line.string("value")))
        default: throw HistoryLine.Problem("\"op\" is \"\(name)\", not one of get, put, delete and cas")
        }
    }

    private mutating func outcome(
        of request: Operation.Request, _ line: inout HistoryLine
    ) throws(HistoryLine.Problem) -> Operation.Outcome {
        switch request {
        case .get: return .read(try found(&line))
        case .put: return .written
        case .delete:
            let count = try line.integer("deleted", atLeast: 0)
            guard count <= 1 else { throw HistoryLine.Problem("\"deleted\" is \(count), of one key") }
            return .deleted(count: Int(count))
        case .compareAndSet: return try line.bool("succeeded") ? .written : .read(try found(&line))
        }
    }

    private mutating func found(_ line: inout HistoryLine) throws(HistoryLine.Problem) -> Operation.Observation? {
        guard var found = try line.objectOrNull("found") else { return nil }
        let observation = Operation.Observation(
            value: valueNumber(try found.string("value")), createRevision: try found.integer("create", atLeast: 1),
            modRevision: try found.integer("mod", atLeast: 1), version: try found.integer("version", atLeast: 1))
        try found.checkAllUsed()
        return observation
    }

    private mutating func keyNumber(_ key: String) -> Int {
        if let known = keyNumbers[key] { return known }
        keyNumbers[key] = keys.count
        keys.append(key)
        return keys.count - 1
    }

    private mutating func valueNumber(_ value: String) -> UInt64 {
        if let known = valueNumbers[value] { return known }
        let number = UInt64(valueNumbers.count + 1)
        valueNumbers[value] = number
        return number
    }
}
