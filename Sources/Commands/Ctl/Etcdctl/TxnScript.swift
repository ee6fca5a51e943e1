package import StrakeClient

/// What a transaction's input lines say.
package enum TxnScript {
    /// `mod("key") > "0"` and the like.
    package static func compare(_ line: String) throws(CommandFailure) -> Compare {
        guard let open = line.firstIndex(of: "(") else { throw malformed("malformed comparison: \(line)") }
        let target = String(line[..<open])
        var rest = line[line.index(after: open)...]
        var (key, operation, value): ([UInt8], Substring, [UInt8]) = ([], "", [])
        var isWhole = false
        if let text = QuotedText.take(&rest) {
            key = text
            if rest.first == ")" {
                rest = rest.dropFirst().drop { $0.isWhitespace }
                operation = rest.prefix { !$0.isWhitespace }
                rest = rest.dropFirst(operation.count).drop { $0.isWhitespace }
                if !operation.isEmpty, let text = QuotedText.take(&rest) { (value, isWhole) = (text, true) }
            }
        }
        guard isWhole, let result = result(operation) else {
            throw malformed(
                "malformed comparison: \(line); got \(target)(\(GoText.quoted(key))) \(operation) \(GoText.quoted(value))"
            )
        }
        return Compare(range: .key(key), result: result, target: try self.target(target, value, line))
    }

    private static func result(_ operation: Substring) -> Compare.Result? {
        switch operation {
        case "=": .equal
        case "!=": .notEqual
        case ">": .greater
        case "<": .less
        default: nil
        }
    }

    private static func target(
        _ name: String, _ value: [UInt8], _ line: String
    ) throws(CommandFailure) -> Compare.Target {
        func number(_ radix: Int) throws(CommandFailure) -> Int64 {
            do throws(CommandFailure) {
                return try GoNumber.int64(String(decoding: value, as: UTF8.self), radix: radix)
            } catch {
                throw malformed("invalid txn compare request: \(line)")
            }
        }
        switch name {
        case "ver", "version": return .version(try number(10))
        case "c", "create": return .createRevision(try number(10))
        case "m", "mod": return .modRevision(try number(10))
        case "val", "value": return .value(value)
        case "lease": return .lease(LeaseID(rawValue: try number(16)))
        default: throw malformed("malformed comparison: \(line) (unknown target \(name))")
        }
    }

    /// `get`, `put` or `del` with their flags.
    static func operation(_ line: String) throws(CommandFailure) -> RequestOp {
        let words = try QuotedText.words(of: line)
        guard words.count >= 2 else { throw malformed("invalid txn compare request: \(line)") }
        let arguments = Array(words.dropFirst())
        let flags: [CommandFlag]
        switch String(decoding: words[0], as: UTF8.self) {
        case "get": flags = KVRequests.getFlags
        case "put": flags = KVRequests.putFlags
        case "del": flags = KVRequests.deleteFlags
        default: throw malformed("invalid txn request: \(line)")
        }
        let parsed: CommandArguments
        do throws(CommandFailure) {
            parsed = try CommandArguments(arguments, flags: flags)
        } catch {
            throw malformed("invalid txn request: \(line)")
        }
        switch words[0].first {
        case UInt8(ascii: "g"): return .range(try KVRequests.get(parsed))
        case UInt8(ascii: "p"): return .put(try KVRequests.put(parsed, input: CommandOutput.readInput))
        default: return .deleteRange(try KVRequests.delete(parsed))
        }
    }

    private static func malformed(_ message: String) -> CommandFailure {
        CommandFailure(message, CommandFailure.invalidInput)
    }
}
