internal import StrakeClient

/// What etcdctl has no command for: a key's history, and the difference between two revisions.
enum HistoryCommands {
    static let diffFlags = [CommandFlag("prefix", .text, "", "Only keys with this prefix")]
    private static let pageKeys: Int64 = 1_000

    // MARK: - history

    /// All changes of a key that compaction has left.
    static func history(_ context: CommandContext) async throws(CommandFailure) {
        guard context.arguments.rawWords.count == 1 else { throw .arguments("history takes one KEY") }
        let key = context.arguments.rawWords[0]
        let client = try await context.client()
        let (header, events) = try await context.call { () async throws(StrakeClientError) in
            let now = try await client.get(key)
            return (now.header, try await changes(of: key, now, client))
        }
        show(events, header, context.printer)
    }

    private static func changes(
        of key: [UInt8], _ now: Answer<RangeResponse>, _ client: StrakeClient
    ) async throws(StrakeClientError) -> [Event] {
        let last = now.keyValues.first?.modRevision
        var options = WatchOptions()
        options.revision = 1
        while true {
            do throws(StrakeClientError) {
                let watch = try await client.watch(key, options)
                defer { watch.cancel() }
                var events: [Event] = []
                // Of a key that is not there nobody knows which change is the last: the answer comes behind it.
                if last == nil { watch.requestProgress() }
                var iterator = watch.makeAsyncIterator()
                while let response = try await iterator.next() {
                    if last == nil, response.isProgress, response.header.revision >= now.header.revision { break }
                    events += response.events
                    if let last, let newest = events.last, newest.keyValue.modRevision >= last { break }
                }
                return events
            } catch {
                guard let compactRevision = error.compactRevision, compactRevision > options.revision else {
                    throw error
                }
                options.revision = compactRevision
            }
        }
    }

    private static func show(_ events: [Event], _ header: Header, _ printer: Printer) {
        let printable = { (bytes: [UInt8]) in
            printer.isHex ? String(decoding: GoText.hexText(bytes), as: UTF8.self) : GoText.quoted(bytes)
        }
        let rows = events.map { event in
            [
                "\(event.keyValue.modRevision)", Printer.name(event.kind),
                event.kind == .put ? "\(event.keyValue.version)" : "",
                event.kind == .put ? printable(event.keyValue.value) : "",
            ]
        }
        switch printer.format {
        case .simple:
            for row in rows { CommandOutput.line(row.filter { !$0.isEmpty }.joined(separator: ", ")) }
        case .table: TextTable.print(["Revision", "Type", "Version", "Value"], rows)
        case .fields, .json, .protobuf: printer.watch(WatchResponse(header: header, events: events))
        }
    }

    // MARK: - diff

    /// What the keys at one revision are that they were not at another.
    static func diff(_ context: CommandContext) async throws(CommandFailure) {
        guard context.words.count == 2 else { throw .arguments("diff takes two revisions, FROM and TO") }
        let from = try GoNumber.int64(context.words[0], radix: 10)
        let to = try GoNumber.int64(context.words[1], radix: 10)
        guard from > 0, to > 0 else { throw .arguments("diff: revisions begin at 1") }
        let range = KeyRange.prefix(Array(context.arguments.text("prefix").utf8))
        let client = try await context.client()
        let printer = context.printer
        guard printer.format == .simple || printer.format == .json else {
            throw CommandFailure("diff prints simple or json", CommandFailure.badFeature)
        }
        try await context.call { () async throws(StrakeClientError) in
            var old = KeyPages(range, from, pageKeys, client)
            var new = KeyPages(range, to, pageKeys, client)
            var (left, right) = (try await old.next(), try await new.next())
            while left != nil || right != nil {
                switch order(left, right) {
                case .leftFirst:
                    show("-", left, nil, printer)
                    left = try await old.next()
                case .rightFirst:
                    show("+", nil, right, printer)
                    right = try await new.next()
                case .same:
                    // Equal mod revisions are one and the same put.
                    if left?.modRevision != right?.modRevision { show("~", left, right, printer) }
                    left = try await old.next()
                    right = try await new.next()
                }
            }
        }
    }

    private enum Order {
        case leftFirst
        case rightFirst
        case same
    }

    private static func order(_ left: KeyValue?, _ right: KeyValue?) -> Order {
        guard let left else { return .rightFirst }
        guard let right else { return .leftFirst }
        if left.key == right.key { return .same }
        return left.key.precedes(right.key) ? .leftFirst : .rightFirst
    }

    private static func show(_ sign: String, _ old: KeyValue?, _ new: KeyValue?, _ printer: Printer) {
        if printer.format == .json {
            var object = JSONObject()
            object.addUnlessEmpty("old", old.map { Printer.json($0) })
            object.addUnlessEmpty("new", new.map { Printer.json($0) })
            return CommandOutput.line(object.text)
        }
        let text = { (bytes: [UInt8]) in
            printer.isHex ? String(decoding: GoText.hexText(bytes), as: UTF8.self) : GoText.quoted(bytes)
        }
        let key = text((new ?? old)?.key ?? [])
        let values = [old, new].compactMap { $0.map { text($0.value) } }.joined(separator: " -> ")
        CommandOutput.line("\(sign) \(key) \(values)")
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
