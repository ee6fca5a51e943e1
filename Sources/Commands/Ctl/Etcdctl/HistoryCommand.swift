internal import StrakeClient

/// `history`, which etcdctl has no command for.
enum HistoryCommand {
    /// All changes of a key that compaction has left.
    static func run(_ context: CommandContext) async throws(CommandFailure) {
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
        let rows = events.map { event in
            [
                "\(event.keyValue.modRevision)", Printer.name(event.kind),
                event.kind == .put ? "\(event.keyValue.version)" : "",
                event.kind == .put ? printer.quoted(event.keyValue.value) : "",
            ]
        }
        switch printer.format {
        case .simple:
            for row in rows { CommandOutput.line(row.filter { !$0.isEmpty }.joined(separator: ", ")) }
        case .table: TextTable.print(["Revision", "Type", "Version", "Value"], rows)
        case .fields, .json, .protobuf: printer.watch(WatchResponse(header: header, events: events))
        }
    }
}
