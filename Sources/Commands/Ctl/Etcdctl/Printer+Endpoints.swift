internal import StrakeClient

/// Whether an endpoint commits proposals.
struct EndpointHealth: Sendable {
    var endpoint: String
    var isHealthy: Bool
    var took: String
    /// Empty when it is healthy.
    var error = ""
}

extension Printer {
    func health(_ list: [EndpointHealth]) throws(CommandFailure) {
        try refuse(.protobuf)
        switch format {
        case .simple, .protobuf:
            for health in list { healthLine(health) }
        case .table:
            TextTable.print(
                ["Endpoint", "Health", "Took", "Error"],
                list.map { [$0.endpoint, "\($0.isHealthy)", $0.took, $0.error] })
        case .fields:
            for health in list {
                field("Endpoint", GoText.quoted(health.endpoint))
                field("Health", health.isHealthy)
                field("Took", health.took)
                field("Error", health.error)
                CommandOutput.line("")
            }
        case .json:
            let objects = list.map { health in
                var object = JSONObject()
                object.add("endpoint", health.endpoint)
                object.add("health", health.isHealthy)
                object.add("took", health.took)
                object.addUnlessEmpty("error", health.error)
                return object.text
            }
            CommandOutput.line(JSONObject.list(objects))
        }
    }

    private func healthLine(_ health: EndpointHealth) {
        if health.error.isEmpty {
            CommandOutput.line(
                "\(health.endpoint) is healthy: successfully committed proposal: took = \(health.took)")
        } else {
            CommandOutput.complaint("\(health.endpoint) is unhealthy: failed to commit proposal: \(health.error)")
        }
    }

    func status(_ list: [(endpoint: String, status: Answer<MemberStatus>)]) throws(CommandFailure) {
        try refuse(.protobuf)
        let rows = list.map { endpoint, status in
            [
                endpoint, GoText.hex(status.header.memberID), status.version, GoText.size(status.dbSize),
                "\(status.leader == status.header.memberID)", "\(status.isLearner)", "\(status.raftTerm)",
                "\(status.raftIndex)", "\(status.raftAppliedIndex)", status.errors.joined(separator: ", "),
            ]
        }
        switch format {
        case .simple, .protobuf: for row in rows { CommandOutput.line(row.joined(separator: ", ")) }
        case .table:
            TextTable.print(
                [
                    "Endpoint", "ID", "Version", "DB Size", "Is Leader", "Is Learner", "Raft Term", "Raft Index",
                    "Raft Applied Index", "Errors",
                ], rows)
        case .fields: for (endpoint, status) in list { statusFields(endpoint, status) }
        case .json:
            CommandOutput.line(
                JSONObject.list(list.map { endpoint, status in Self.json(endpoint, status).text }))
        }
    }

    private func statusFields(_ endpoint: String, _ status: Answer<MemberStatus>) {
        fields(status.header)
        field("Version", GoText.quoted(status.version))
        field("DBSize", status.dbSize)
        field("Leader", status.leader)
        field("IsLearner", status.isLearner)
        field("RaftIndex", status.raftIndex)
        field("RaftTerm", status.raftTerm)
        field("RaftAppliedIndex", status.raftAppliedIndex)
        field("Errors", "[" + status.errors.joined(separator: " ") + "]")
        field("Endpoint", GoText.quoted(endpoint))
        CommandOutput.line("")
    }

    private static func json(_ endpoint: String, _ status: Answer<MemberStatus>) -> JSONObject {
        var body = JSONObject()
        body.add("header", json(status.header))
        body.addUnlessEmpty("version", status.version)
        body.addUnlessEmpty("dbSize", status.dbSize)
        body.addUnlessEmpty("leader", status.leader)
        body.addUnlessEmpty("raftIndex", status.raftIndex)
        body.addUnlessEmpty("raftTerm", status.raftTerm)
        body.addUnlessEmpty("raftAppliedIndex", status.raftAppliedIndex)
        body.addUnlessEmpty("errors", list: status.errors.map { GoText.json($0) })
        body.addUnlessEmpty("dbSizeInUse", status.dbSizeInUse)
        body.addUnlessEmpty("isLearner", status.isLearner)
        var object = JSONObject()
        object.add("Endpoint", endpoint)
        object.add("Status", body)
        return object
    }

    func hashes(_ list: [(endpoint: String, hash: Answer<KVHash>)]) throws(CommandFailure) {
        try refuse(.protobuf)
        let rows = list.map { endpoint, hash in [endpoint, "\(hash.body.hash)"] }
        switch format {
        case .simple, .protobuf: for row in rows { CommandOutput.line(row.joined(separator: ", ")) }
        case .table: TextTable.print(["Endpoint", "Hash"], rows)
        case .fields:
            for (endpoint, hash) in list {
                fields(hash.header)
                field("Endpoint", GoText.quoted(endpoint))
                field("Hash", hash.body.hash)
                CommandOutput.line("")
            }
        case .json:
            let objects = list.map { endpoint, hash in
                var body = JSONObject()
                body.add("header", Self.json(hash.header))
                body.addUnlessEmpty("hash", Int64(hash.body.hash))
                body.addUnlessEmpty("compact_revision", hash.compactRevision)
                var object = JSONObject()
                object.add("Endpoint", endpoint)
                object.add("HashKV", body)
                return object.text
            }
            CommandOutput.line(JSONObject.list(objects))
        }
    }
}
