package import StrakeModel

/// A message of a watch stream as a client reads it, with its events.
package struct WatchMessage: WireFields, Hashable, Sendable {
    package var header = ResponseHeader()
    package var watchID: Int64 = 0
    package var created = false
    package var canceled = false
    package var compactRevision: Int64 = 0
    package var cancelReason = ""
    /// More messages of the same revision follow.
    package var fragment = false
    package var events: [Event] = []

    package init() {}
    package init(protobuf bytes: UnsafeRawBufferPointer) throws(ProtobufError) { try self.init(bytes) }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.bytes(1): try header.read(try reader.bytes())
        case Tag.varint(2): watchID = try reader.int64()
        case Tag.varint(3): created = try reader.bool()
        case Tag.varint(4): canceled = try reader.bool()
        case Tag.varint(5): compactRevision = try reader.int64()
        case Tag.bytes(6): cancelReason = try reader.string()
        case Tag.varint(7): fragment = try reader.bool()
        case Tag.bytes(11): events.append(try Event(try reader.bytes()))
        default: try reader.skip(tag)
        }
    }
}

extension Event: WireFields {
    init() { self.init(kind: .put, keyValue: KeyValue(key: [])) }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.varint(1): kind = try reader.int32() == 1 ? .delete : .put
        case Tag.bytes(2): try keyValue.read(try reader.bytes())
        case Tag.bytes(3): previous = try KeyValue(try reader.bytes())
        default: try reader.skip(tag)
        }
    }
}
