internal import StrakeClient

extension Printer {
    private func id(_ lease: LeaseID) -> String { GoText.hex(UInt64(bitPattern: lease.rawValue), width: 16) }

    func grant(_ answer: Answer<GrantedLease>) {
        switch format {
        case .simple, .table: CommandOutput.line("lease \(id(answer.id)) granted with TTL(\(answer.ttlSeconds)s)")
        case .fields, .json: lease(answer, hasError: true)
        case .protobuf: protobufHeader(answer.header)
        }
    }

    func keepAlive(_ answer: Answer<GrantedLease>) {
        switch format {
        case .simple, .table: CommandOutput.line("lease \(id(answer.id)) keepalived with TTL(\(answer.ttlSeconds))")
        case .fields, .json: lease(answer, hasError: false)
        case .protobuf: protobufHeader(answer.header)
        }
    }

    private func protobufHeader(_ header: Header) { CommandOutput.bytes(ProtobufOutput.header(header)) }

    private func lease(_ answer: Answer<GrantedLease>, hasError: Bool) {
        if format == .fields {
            fields(answer.header)
            field("ID", answer.id.rawValue)
            return field("TTL", answer.ttlSeconds)
        }
        var object = JSONObject()
        Self.add(answer.header, to: &object)
        object.add("ID", answer.id.rawValue)
        object.add("TTL", answer.ttlSeconds)
        if hasError { object.add("Error", "") }
        CommandOutput.line(object.text)
    }

    func revoke(_ lease: LeaseID, _ header: Header) throws(CommandFailure) {
        switch format {
        case .simple, .table: CommandOutput.line("lease \(id(lease)) revoked")
        case .fields: fields(header)
        case .json: json(header)
        case .protobuf:
            // The one answer that etcdctl cannot encode: it revokes the lease and then says so.
            throw CommandFailure(
                "marshal unsupported for type clientv3.LeaseRevokeResponse ({\(Self.text(header)) {} [] 0})",
                CommandFailure.badFeature)
        }
    }

    /// As Go prints the message, with a blank behind each field.
    private static func text(_ header: Header) -> String {
        var fields: [String] = []
        if header.clusterID != 0 { fields.append("cluster_id:\(header.clusterID) ") }
        if header.memberID != 0 { fields.append("member_id:\(header.memberID) ") }
        if header.revision != 0 { fields.append("revision:\(header.revision) ") }
        if header.raftTerm != 0 { fields.append("raft_term:\(header.raftTerm) ") }
        return fields.joined()
    }

    func timeToLive(_ answer: Answer<LeaseStatus>, withKeys: Bool) {
        switch format {
        case .simple, .table: timeToLiveLine(answer.body, withKeys: withKeys)
        case .fields:
            fields(answer.header)
            field("ID", answer.id.rawValue)
            field("TTL", answer.ttlSeconds)
            field("GrantedTTL", answer.grantedSeconds)
            for key in answer.keys { field("Key", GoText.quoted(key)) }
        case .json:
            var object = JSONObject()
            Self.add(answer.header, to: &object)
            object.add("id", answer.id.rawValue)
            object.add("ttl", answer.ttlSeconds)
            object.add("granted-ttl", answer.grantedSeconds)
            let keys = answer.keys.map { "\"\(GoText.base64($0))\"" }
            object.add("keys", raw: keys.isEmpty ? "null" : JSONObject.list(keys))
            CommandOutput.line(object.text)
        case .protobuf: protobufHeader(answer.header)
        }
    }

    private func timeToLiveLine(_ status: LeaseStatus, withKeys: Bool) {
        if status.grantedSeconds == 0 && status.ttlSeconds == -1 {
            return CommandOutput.line("lease \(id(status.id)) already expired")
        }
        var line = Array(
            "lease \(id(status.id)) granted with TTL(\(status.grantedSeconds)s), remaining(\(status.ttlSeconds)s)".utf8)
        if withKeys {
            let keys = status.keys.joined(separator: Array(" ".utf8))
            line += Array(", attached keys([".utf8) + Array(keys) + Array("])".utf8)
        }
        CommandOutput.line(line)
    }

    func leases(_ answer: Answer<[LeaseID]>) {
        switch format {
        case .simple, .table:
            CommandOutput.line("found \(answer.body.count) leases")
            for lease in answer.body { CommandOutput.line(id(lease)) }
        case .fields:
            fields(answer.header)
            for lease in answer.body { field("ID", lease.rawValue) }
        case .json:
            var object = JSONObject()
            Self.add(answer.header, to: &object)
            object.add("leases", raw: JSONObject.list(answer.body.map { "{\"id\":\($0.rawValue)}" }))
            CommandOutput.line(object.text)
        case .protobuf: protobufHeader(answer.header)
        }
    }
}
