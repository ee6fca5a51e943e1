// grpc.health.v1: the service that load balancers and probes ask, outside etcd's own package.

package struct HealthCheckRequest: WireFields, WireMessage, Hashable, Sendable {
    /// Empty: the server as a whole.
    package var service = ""

    package init() {}
    package init(protobuf bytes: UnsafeRawBufferPointer) throws(WireError) { try self.init(request: bytes) }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        if tag == Tag.bytes(1) { service = try reader.string() } else { try reader.skip(tag) }
    }

    package var encodedSize: Int { ProtobufWriter.size(1, service) }
    package func encode(to writer: inout ProtobufWriter) { writer.field(1, service) }
}

package struct HealthCheckResponse: WireMessage, Hashable, Sendable {
    package enum Status: UInt8, Sendable {
        case unknown = 0
        case serving = 1
        case notServing = 2
        case serviceUnknown = 3
    }

    package var status: Status

    package init(status: Status) {
        self.status = status
    }

    package var encodedSize: Int { ProtobufWriter.size(1, UInt64(status.rawValue)) }
    package func encode(to writer: inout ProtobufWriter) { writer.field(1, UInt64(status.rawValue)) }
}
