/// A range's answer in parts, for answers that are never in memory as a whole: the header, then one field for each key
/// (`KeyValueFields`), then the tail. The parts put together are the message, and each has its exact size beforehand.
package enum RangeParts {
    package static func headerSize(_ header: ResponseHeader) -> Int { header.fieldSize }

    package static func encodeHeader(_ header: ResponseHeader, to writer: inout ProtobufWriter) {
        header.encodeField(to: &writer)
    }

    package static func tailSize(more: Bool, count: Int64) -> Int {
        ProtobufWriter.size(3, more) + ProtobufWriter.size(4, count)
    }

    package static func encodeTail(more: Bool, count: Int64, to writer: inout ProtobufWriter) {
        writer.field(3, more)
        writer.field(4, count)
    }

    /// What stands before a range response of `size` bytes that is one message of a RangeStream. Only the last message
    /// has the header and the tail.
    package static func streamPrefixSize(_ size: Int) -> Int { ProtobufWriter.size(1, bytes: size) - size }

    /// The same of any size that a message can have.
    package static var streamPrefixSizeMax: Int { streamPrefixSize(Int(UInt32.max)) }

    package static func encodeStreamPrefix(_ size: Int, to writer: inout ProtobufWriter) {
        writer.prefix(1, bytes: size)
    }
}
