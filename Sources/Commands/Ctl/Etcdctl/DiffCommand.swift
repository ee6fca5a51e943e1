internal import StrakeClient

/// `diff`, which etcdctl has no command for: what the keys at one revision are that they were not at another.
enum DiffCommand {
    static let flags = [CommandFlag("prefix", .text, "", "Only keys with this prefix")]
    private static let pageKeys: Int64 = 1_000

    static func run(_ context: CommandContext) async throws(CommandFailure) {
        guard context.words.count == 2 else { throw .arguments("diff takes two revisions, FROM and TO") }
        let from = try GoNumber.int64(context.words[0], radix: 10)
        let to = try GoNumber.int64(context.words[1], radix: 10)
        guard from > 0, to > 0 else { throw .arguments("diff: revisions begin at 1") }
        // etcd's protocol has no message for it.
        try context.printer.refuse(.protobuf)
        let range = KeyRange.prefix(Array(context.arguments.text("prefix").utf8))
        let client = try await context.client()
        var output = DiffOutput(context.printer)
        try await context.call { () async throws(StrakeClientError) in
            var old = KeyPages(range, from, pageKeys, client)
            var new = KeyPages(range, to, pageKeys, client)
            var (left, right) = (try await old.next(), try await new.next())
            while let side = Side(left, right) {
                output.show(KeyChange(old: side == .new ? nil : left, new: side == .old ? nil : right))
                if side != .new { left = try await old.next() }
                if side != .old { right = try await new.next() }
            }
        }
        output.finish()
    }
}

/// Which of two lists begins with the smaller key.
private enum Side {
    case old
    case new
    case both

    /// Nil when both lists are at their ends.
    init?(_ left: KeyValue?, _ right: KeyValue?) {
        guard let left else {
            if right == nil { return nil }
            self = .new
            return
        }
        guard let right, left.key != right.key else {
            self = right == nil ? .old : .both
            return
        }
        self = left.key.precedes(right.key) ? .old : .new
    }
}

/// A key as each of two revisions has it; one of them does.
private struct KeyChange {
    var old: KeyValue?
    var new: KeyValue?

    /// Equal mod revisions are one and the same put.
    var differs: Bool { old?.modRevision != new?.modRevision }

    var key: [UInt8] { (new ?? old)?.key ?? [] }
    var sign: String { old == nil ? "+" : new == nil ? "-" : "~" }
    var name: String { old == nil ? "ADDED" : new == nil ? "REMOVED" : "CHANGED" }
}

/// Prints changes as they are found; a table when all are.
private struct DiffOutput {
    private let printer: Printer
    private var rows: [[String]] = []

    init(_ printer: Printer) {
        self.printer = printer
    }

    mutating func show(_ change: KeyChange) {
        guard change.differs else { return }
        switch printer.format {
        case .simple, .protobuf: showLine(change)
        case .json: showJSON(change)
        case .fields: showFields(change)
        case .table:
            let columns = [change.old, change.new].flatMap { pair in
                [pair.map { "\($0.modRevision)" } ?? "", pair.map { printer.quoted($0.value) } ?? ""]
            }
            rows.append([change.name, printer.quoted(change.key)] + columns)
        }
    }

    func finish() {
        guard printer.format == .table else { return }
        TextTable.print(["Change", "Key", "Old revision", "Old value", "New revision", "New value"], rows)
    }

    private func showLine(_ change: KeyChange) {
        let values = [change.old, change.new].compactMap { $0.map { printer.quoted($0.value) } }
        CommandOutput.line("\(change.sign) \(printer.quoted(change.key)) \(values.joined(separator: " -> "))")
    }

    private func showJSON(_ change: KeyChange) {
        var object = JSONObject()
        object.addUnlessEmpty("old", change.old.map { Printer.json($0) })
        object.addUnlessEmpty("new", change.new.map { Printer.json($0) })
        CommandOutput.line(object.text)
    }

    private func showFields(_ change: KeyChange) {
        printer.field("Change", change.name)
        if let old = change.old { printer.fields("Old", old) }
        if let new = change.new { printer.fields("New", new) }
    }
}

/// The keys of a range at one revision, a page at a time.
private struct KeyPages {
    private let client: StrakeClient
    private var request: RangeRequest
    private var page: ArraySlice<KeyValue> = []
    private var isLast = false

    init(_ range: KeyRange, _ revision: Int64, _ pageKeys: Int64, _ client: StrakeClient) {
        self.client = client
        request = RangeRequest(range: range)
        request.revision = revision
        request.limit = pageKeys
    }

    mutating func next() async throws(StrakeClientError) -> KeyValue? {
        while page.isEmpty && !isLast {
            let answer = try await client.range(request)
            page = answer.keyValues[...]
            isLast = !answer.more
            if let last = page.last { request.range.lower = last.key + [0] }
        }
        return page.popFirst()
    }
}
