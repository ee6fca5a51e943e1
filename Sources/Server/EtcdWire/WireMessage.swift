/// A message that can be sent.
///
/// Sending one: ask for `encodedSize`, write gRPC's five byte prefix with it, let the output buffer give that many bytes
/// and encode into them. Nothing is allocated on the way.
package protocol WireMessage: Sendable {
    /// Exactly what `encode` writes.
    var encodedSize: Int { get }
    func encode(to writer: inout ProtobufWriter)
}

extension WireMessage {
    /// The message in an array of its own; for tests and rare messages.
    package func encoded() -> [UInt8] {
        let size = encodedSize
        return [UInt8](unsafeUninitializedCapacity: size) { memory, count in
            var writer = ProtobufWriter(UnsafeMutableRawBufferPointer(memory))
            encode(to: &writer)
            precondition(writer.isFull, "a message is shorter than its encoded size of \(size) bytes")
            count = size
        }
    }
}

/// What a response has besides its header.
package protocol ResponseBody: Sendable {
    /// Exactly what `encodeFields` writes.
    var fieldsSize: Int { get }
    func encodeFields(to writer: inout ProtobufWriter)
}

/// A response: the header, which is field 1 of every one of them, and the body's fields.
package struct Response<Body: ResponseBody>: WireMessage {
    package var header: ResponseHeader
    package var body: Body

    @inlinable
    package init(_ header: ResponseHeader, _ body: Body) {
        self.header = header
        self.body = body
    }

    @inlinable package var encodedSize: Int { header.fieldSize + body.fieldsSize }

    @inlinable
    package func encode(to writer: inout ProtobufWriter) {
        header.encodeField(to: &writer)
        body.encodeFields(to: &writer)
    }
}

/// Who answers, and at which revision and term.
package struct ResponseHeader: WireMessage, Hashable {
    package var clusterID: UInt64
    package var memberID: UInt64
    package var revision: Int64
    package var raftTerm: UInt64

    package init(clusterID: UInt64 = 0, memberID: UInt64 = 0, revision: Int64 = 0, raftTerm: UInt64 = 0) {
        self.clusterID = clusterID
        self.memberID = memberID
        self.revision = revision
        self.raftTerm = raftTerm
    }

    package var encodedSize: Int {
        ProtobufWriter.size(1, clusterID) + ProtobufWriter.size(2, memberID) + ProtobufWriter.size(3, revision)
            + ProtobufWriter.size(4, raftTerm)
    }

    package func encode(to writer: inout ProtobufWriter) {
        writer.field(1, clusterID)
        writer.field(2, memberID)
        writer.field(3, revision)
        writer.field(4, raftTerm)
    }

    /// The header as field 1, tag and length included. It is there even when it is empty.
    package var fieldSize: Int { ProtobufWriter.size(1, bytes: encodedSize) }

    package func encodeField(to writer: inout ProtobufWriter) {
        writer.prefix(1, bytes: encodedSize)
        encode(to: &writer)
    }
}

/// The body of a response that is only a header.
package struct EmptyResponse: ResponseBody {
    package init() {}
    package var fieldsSize: Int { 0 }
    package func encodeFields(to writer: inout ProtobufWriter) {}
}
