internal import StrakeModel

// The client's side: requests of Cluster, Lock and Election as they are sent.

extension MemberAddRequest: WireMessage {
    package var encodedSize: Int { ProtobufWriter.size(1, elements: peerURLs) + ProtobufWriter.size(2, isLearner) }

    package func encode(to writer: inout ProtobufWriter) {
        writer.elements(1, peerURLs)
        writer.field(2, isLearner)
    }
}

extension MemberIDRequest: WireMessage {
    package var encodedSize: Int { ProtobufWriter.size(1, id) }
    package func encode(to writer: inout ProtobufWriter) { writer.field(1, id) }
}

extension LockRequest: WireMessage {
    package var encodedSize: Int { ProtobufWriter.size(1, name) + ProtobufWriter.size(2, lease.rawValue) }

    package func encode(to writer: inout ProtobufWriter) {
        writer.field(1, name)
        writer.field(2, lease.rawValue)
    }
}

extension UnlockRequest: WireMessage {
    package var encodedSize: Int { ProtobufWriter.size(1, key) }
    package func encode(to writer: inout ProtobufWriter) { writer.field(1, key) }
}

extension CampaignRequest: WireMessage {
    package var encodedSize: Int {
        ProtobufWriter.size(1, name) + ProtobufWriter.size(2, lease.rawValue) + ProtobufWriter.size(3, value)
    }

    package func encode(to writer: inout ProtobufWriter) {
        writer.field(1, name)
        writer.field(2, lease.rawValue)
        writer.field(3, value)
    }
}

extension ElectionRequest: WireMessage {
    package var encodedSize: Int { ProtobufWriter.size(1, name) }
    package func encode(to writer: inout ProtobufWriter) { writer.field(1, name) }
}

extension LeaderKeyRequest: WireMessage {
    package var encodedSize: Int {
        (leader.map { ProtobufWriter.size(1, bytes: $0.size) } ?? 0) + ProtobufWriter.size(2, value)
    }

    package func encode(to writer: inout ProtobufWriter) {
        if let leader {
            writer.prefix(1, bytes: leader.size)
            leader.encode(to: &writer)
        }
        writer.field(2, value)
    }
}
