internal import StrakeClient

extension Printer {
    func watch(_ response: WatchResponse) {
        switch format {
        case .simple, .table:
            for event in response.events {
                CommandOutput.line(Self.name(event.kind))
                if let previous = event.previous { keyValue(previous) }
                keyValue(event.keyValue)
            }
        case .fields:
            fields(response.header)
            for event in response.events {
                field("Type", Self.name(event.kind))
                if let previous = event.previous { fields("Prev", previous) }
                fields("", event.keyValue)
            }
        case .json: watchJSON(response.header, response.events)
        case .protobuf: CommandOutput.bytes(ProtobufOutput.watch(response.header, response.events))
        }
    }

    /// A watch that the server has ended.
    func watchEnd(_ error: StrakeClientError) {
        let (header, compactRevision) = (error.header ?? Header(), error.compactRevision ?? 0)
        switch format {
        case .simple, .table: break
        case .fields: fields(header)
        case .json:
            // What clientv3 itself says of a watch that is not permitted has neither header nor events.
            watchJSON(
                header, error.header == nil ? nil : [], compactRevision: compactRevision, isCanceled: true)
        case .protobuf:
            CommandOutput.bytes(
                ProtobufOutput.watch(header, [], compactRevision: compactRevision, isCanceled: true))
        }
    }

    private func watchJSON(
        _ header: Header, _ events: [Event]?, compactRevision: Int64 = 0, isCanceled: Bool = false
    ) {
        var object = JSONObject()
        object.add("Header", Self.json(header))
        object.add("Events", raw: events.map { list in JSONObject.list(list.map { Self.json($0).text }) } ?? "null")
        object.add("CompactRevision", compactRevision)
        object.add("Canceled", isCanceled)
        object.add("Created", false)
        CommandOutput.line(object.text)
    }

    private static func json(_ event: Event) -> JSONObject {
        var object = JSONObject()
        object.addUnlessEmpty("type", Int64(event.kind.rawValue))
        object.add("kv", json(event.keyValue))
        object.addUnlessEmpty("prev_kv", event.previous.map { json($0) })
        return object
    }

    static func name(_ kind: Event.Kind) -> String { kind == .put ? "PUT" : "DELETE" }
}
