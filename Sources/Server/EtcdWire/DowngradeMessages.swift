/// What is asked about running an earlier version.
package struct DowngradeRequest: WireFields, WireMessage, Hashable, Sendable {
    /// 0 validate, 1 enable, 2 cancel. Any number may come.
    package var action: Int32 = 0
    package var version = ""

    package init() {}
    package init(protobuf bytes: UnsafeRawBufferPointer) throws(WireError) { try self.init(request: bytes) }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.varint(1): action = try reader.int32()
        case Tag.bytes(2): version = try reader.string()
        default: try reader.skip(tag)
        }
    }

    package var encodedSize: Int { ProtobufWriter.size(1, Int64(action)) + ProtobufWriter.size(2, version) }

    package func encode(to writer: inout ProtobufWriter) {
        writer.field(1, Int64(action))
        writer.field(2, version)
    }
}

package struct DowngradeResponse: ResponseBody, Hashable, Sendable {
    /// Of the cluster.
    package var version: String

    package init(version: String) {
        self.version = version
    }

    package var fieldsSize: Int { ProtobufWriter.size(2, version) }
    package func encodeFields(to writer: inout ProtobufWriter) { writer.field(2, version) }
}
