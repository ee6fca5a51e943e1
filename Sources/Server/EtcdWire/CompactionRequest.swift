package struct CompactionRequest: Hashable, Sendable {
    package var revision: Int64 = 0
    /// Answer only once the space is free.
    package var physical = false

    package init(revision: Int64 = 0, physical: Bool = false) {
        self.revision = revision
        self.physical = physical
    }

    package init(protobuf bytes: UnsafeRawBufferPointer) throws(WireError) { try self.init(request: bytes) }
}

extension CompactionRequest: WireFields, WireMessage {
    init() { self.init(revision: 0) }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.varint(1): revision = try reader.int64()
        case Tag.varint(2): physical = try reader.bool()
        default: try reader.skip(tag)
        }
    }

    package var encodedSize: Int { ProtobufWriter.size(1, revision) + ProtobufWriter.size(2, physical) }

    package func encode(to writer: inout ProtobufWriter) {
        writer.field(1, revision)
        writer.field(2, physical)
    }
}
