package import StrakeModel

/// A message of a watch stream as the load generator sees it.
package struct WatchResponseSummary: WireFields, Hashable, Sendable {
    package var header = ResponseHeader()
    package var watchID: Int64 = 0
    package var created = false
    package var canceled = false
    package var compactRevision: Int64 = 0
    package var eventCount = 0

    package init() {}
    package init(protobuf bytes: UnsafeRawBufferPointer) throws(ProtobufError) { try self.init(bytes) }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.bytes(1): try header.read(try reader.bytes())
        case Tag.varint(2): watchID = try reader.int64()
        case Tag.varint(3): created = try reader.bool()
        case Tag.varint(4): canceled = try reader.bool()
        case Tag.varint(5): compactRevision = try reader.int64()
        case Tag.bytes(11):
            _ = try reader.bytes()
            eventCount += 1
        default: try reader.skip(tag)
        }
    }
}

/// An event in place: its bytes live as long as the message's.
package struct EventView: WireFields {
    package var kind = Event.Kind.put
    package var key = UnsafeRawBufferPointer(start: nil, count: 0)
    package var value = UnsafeRawBufferPointer(start: nil, count: 0)
    package var modRevision: Int64 = 0

    package init() {}

    /// Calls `body` for each event of a watch response.
    package static func forEach(
        in response: UnsafeRawBufferPointer, _ body: (EventView) -> Void
    ) throws(ProtobufError) {
        var reader = ProtobufReader(response)
        while true {
            let tag = try reader.nextTag()
            if tag == 0 { return }
            if tag == Tag.bytes(11) { body(try EventView(try reader.bytes())) } else { try reader.skip(tag) }
        }
    }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.varint(1): kind = try reader.int32() == 1 ? .delete : .put
        case Tag.bytes(2): try readKeyValue(try reader.bytes())
        default: try reader.skip(tag)
        }
    }

    private mutating func readKeyValue(_ bytes: UnsafeRawBufferPointer) throws(ProtobufError) {
        var reader = ProtobufReader(bytes)
        while true {
            switch try reader.nextTag() {
            case 0: return
            case Tag.bytes(1): key = try reader.bytes()
            case Tag.varint(3): modRevision = try reader.int64()
            case Tag.bytes(5): value = try reader.bytes()
            case let tag: try reader.skip(tag)
            }
        }
    }
}
