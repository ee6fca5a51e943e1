internal import StrakeClient

/// What get, put and del ask for, from their words and flags; the lines of a transaction say it in the same way.
enum KVRequests {
    static let getFlags = [
        CommandFlag("consistency", .text, "l", "Linearizable(l) or Serializable(s)", choices: ["l", "s"]),
        CommandFlag("count-only", .flag, "false", "Get only the count"),
        CommandFlag(
            "from-key", .flag, "false", "Get keys that are greater than or equal to the given key using byte compare"),
        CommandFlag("keys-only", .flag, "false", "Get only the keys"),
        CommandFlag("limit", .integer, "0", "Maximum number of results"),
        CommandFlag(
            "order", .text, "", "Order of results; ASCEND or DESCEND (ASCEND by default)",
            choices: ["ASCEND", "DESCEND"]),
        CommandFlag("prefix", .flag, "false", "Get keys with matching prefix"),
        CommandFlag("print-value-only", .flag, "false", "Only write values when using the \"simple\" output format"),
        CommandFlag("rev", .integer, "0", "Specify the kv revision"),
        CommandFlag(
            "sort-by", .text, "", "Sort target; CREATE, KEY, MODIFY, VALUE, or VERSION",
            choices: ["CREATE", "KEY", "MODIFY", "VALUE", "VERSION"]),
        CommandFlag("as-of", .integer, "0", "The same as --rev: what the store was at a revision"),
    ]

    static let putFlags = [
        CommandFlag("ignore-lease", .flag, "false", "updates the key using its current lease"),
        CommandFlag("ignore-value", .flag, "false", "updates the key using its current value"),
        CommandFlag("lease", .text, "0", "lease ID (in hexadecimal) to attach to the key"),
        CommandFlag("prev-kv", .flag, "false", "return the previous key-value pair before modification"),
    ]

    static let deleteFlags = [
        CommandFlag(
            "from-key", .flag, "false",
            "delete keys that are greater than or equal to the given key using byte compare"),
        CommandFlag("prefix", .flag, "false", "delete keys with matching prefix"),
        CommandFlag("prev-kv", .flag, "false", "return deleted key-value pairs"),
    ]

    private static let choose = "cannot be set at the same time, choose one"
    private static let tooMany =
        "too many arguments, only accept one argument when `--prefix` or `--from-key` is set"

    static func get(_ arguments: CommandArguments) throws(CommandFailure) -> RangeRequest {
        guard !arguments.rawWords.isEmpty else {
            throw .arguments("get command needs one argument as key and an optional argument as range_end")
        }
        guard !arguments.flag("prefix") || !arguments.flag("from-key") else {
            throw .arguments("`--prefix` and `--from-key` " + choose)
        }
        guard !arguments.flag("keys-only") || !arguments.flag("count-only") else {
            throw .arguments("`--keys-only` and `--count-only` " + choose)
        }
        let isSerializable = try Self.isSerializable(arguments.text("consistency"))
        var request = RangeRequest(range: try range(arguments))
        request.isSerializable = isSerializable
        request.limit = arguments.integer("limit")
        request.revision = max(arguments.integer("as-of"), arguments.integer("rev"))
        try sort(&request, arguments)
        request.keysOnly = arguments.flag("keys-only")
        request.countOnly = arguments.flag("count-only")
        return request
    }

    private static func isSerializable(_ text: String) throws(CommandFailure) -> Bool {
        switch text {
        case "s": return true
        case "l": return false
        default: throw CommandFailure("unknown consistency flag \(GoText.quoted(text))", CommandFailure.badFeature)
        }
    }

    private static func sort(_ request: inout RangeRequest, _ arguments: CommandArguments) throws(CommandFailure) {
        switch arguments.text("order").uppercased() {
        case "ASCEND": request.sortOrder = .ascending
        case "DESCEND": request.sortOrder = .descending
        case "": request.sortOrder = .none
        default: throw CommandFailure("bad sort order \(arguments.text("order"))", CommandFailure.badFeature)
        }
        switch arguments.text("sort-by").uppercased() {
        case "CREATE": request.sortTarget = .createRevision
        case "KEY", "": request.sortTarget = .key
        case "MODIFY": request.sortTarget = .modRevision
        case "VALUE": request.sortTarget = .value
        case "VERSION": request.sortTarget = .version
        default: throw CommandFailure("bad sort target \(arguments.text("sort-by"))", CommandFailure.badFeature)
        }
        // That is the order that keys come in: to ask for it would have the server sort them (clientv3's rule).
        if request.sortTarget == .key && request.sortOrder == .ascending { request.sortOrder = .none }
    }

    /// The keys that --prefix and --from-key make of one or two words.
    private static func range(_ arguments: CommandArguments) throws(CommandFailure) -> KeyRange {
        let words = arguments.rawWords
        let (isPrefix, isFrom) = (arguments.flag("prefix"), arguments.flag("from-key"))
        if words.count > 1 {
            guard !isPrefix && !isFrom else { throw .arguments(tooMany) }
            return KeyRange(key: words[0], rangeEnd: words[1])
        }
        if isPrefix { return .prefix(words[0]) }
        return isFrom ? .from(words[0]) : .key(words[0])
    }

    static func put(_ arguments: CommandArguments, input: () -> [UInt8]) throws(CommandFailure) -> PutRequest {
        let usage = "put command needs 1 argument and input from stdin or 2 arguments"
        guard let key = arguments.rawWords.first else { throw .arguments(usage) }
        let ignoresValue = arguments.flag("ignore-value")
        guard !ignoresValue || arguments.rawWords.count == 1 else {
            throw .arguments("put command needs only 1 argument when 'ignore-value' is set")
        }
        var value: [UInt8] = []
        if !ignoresValue {
            value = arguments.rawWords.count > 1 ? arguments.rawWords[1] : input()
            guard arguments.rawWords.count > 1 || !value.isEmpty else { throw .arguments(usage) }
        }
        let lease = try LeaseArgument.id(arguments.text("lease"), "bad lease ID (", "), expecting ID in Hex")
        var request = PutRequest(key: key, value: value, lease: lease)
        request.wantsPrevious = arguments.flag("prev-kv")
        request.ignoreValue = ignoresValue
        request.ignoreLease = arguments.flag("ignore-lease")
        return request
    }

    static func delete(_ arguments: CommandArguments) throws(CommandFailure) -> DeleteRangeRequest {
        guard (1...2).contains(arguments.rawWords.count) else {
            throw .arguments("del command needs one argument as key and an optional argument as range_end")
        }
        guard !arguments.flag("prefix") || !arguments.flag("from-key") else {
            throw .arguments("`--prefix` and `--from-key` " + choose)
        }
        var request = DeleteRangeRequest(range: try range(arguments))
        request.wantsPrevious = arguments.flag("prev-kv")
        return request
    }
}

/// A lease as it is typed: hexadecimal.
enum LeaseArgument {
    static func id(_ text: String, _ prefix: String, _ suffix: String) throws(CommandFailure) -> LeaseID {
        do throws(CommandFailure) {
            return LeaseID(rawValue: try GoNumber.int64(text, radix: 16))
        } catch {
            throw .arguments(prefix + (error.message ?? "") + suffix)
        }
    }
}
