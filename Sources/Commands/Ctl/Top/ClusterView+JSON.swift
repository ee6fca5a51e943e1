extension ClusterView {
    /// One object on one line. Rates and times are left out of the first sample, and where a member does not tell.
    ///
    /// - Parameter prefixesMax: Of the busiest prefixes.
    package func json(prefixesMax: Int) -> String {
        var object = JSONObject()
        object.add("interval_seconds", number: seconds)
        object.add("cluster_id", String(clusterID, radix: 16))
        if let leader { object.add("leader", ScreenText.plain(leader)) }
        object.add("raft_term", raw: "\(term)")
        object.add("revision", revision)
        object.add("revisions_per_second", number: revisionsPerSecond)
        object.add("requests_per_second", number: requestsPerSecond)
        object.add("failures_per_second", number: failuresPerSecond)
        object.add("members", raw: JSONObject.list(members.map { Self.json($0).text }))
        object.add("methods", raw: JSONObject.list(methods.map { Self.json($0).text }))
        if let prefixes {
            object.add("prefixes", raw: JSONObject.list(prefixes.prefix(prefixesMax).map { Self.json($0).text }))
        }
        if let otherPrefixes { object.add("prefixes_beyond_table", Self.json(otherPrefixes, isNamed: false)) }
        object.addUnlessEmpty("problems", list: problems.map { GoText.json(ScreenText.plain($0)) })
        return object.text
    }

    private static func json(_ member: Member) -> JSONObject {
        var object = JSONObject()
        object.add("name", ScreenText.plain(member.name))
        object.add("id", String(member.id, radix: 16))
        object.add("endpoint", ScreenText.plain(member.endpoint))
        object.add("role", member.role.rawValue)
        if let status = member.status {
            object.add("version", ScreenText.plain(status.version))
            object.add("raft_term", raw: "\(status.term)")
            object.add("raft_index", raw: "\(status.index)")
            object.add("raft_applied_index", raw: "\(status.applied)")
            object.add("revision", status.revision)
            object.add("db_size", status.dbSize)
            object.add("db_size_in_use", status.dbSizeInUse)
        }
        object.add("requests_per_second", number: member.requestsPerSecond)
        object.add("failures_per_second", number: member.failuresPerSecond)
        for gauge in MemberMetrics.Gauge.allCases { object.add(gauge.jsonName, number: member.gauges[gauge]) }
        for counter in MemberMetrics.Counter.allCases {
            object.add(counter.jsonName, number: member.rates[counter])
        }
        for timing in MemberMetrics.Timing.allCases {
            if let counts = member.timings[timing] { object.add(timing.jsonName, json(counts)) }
        }
        object.addUnlessEmpty("problems", list: member.problems.map { GoText.json(ScreenText.plain($0)) })
        return object
    }

    private static func json(_ method: Method) -> JSONObject {
        var object = JSONObject()
        object.add("method", ScreenText.plain(method.name))
        object.add("requests_per_second", number: method.requestsPerSecond)
        object.add("failures_per_second", number: method.failuresPerSecond)
        object.add("duration", json(method.times))
        return object
    }

    /// A quantile is an estimate, followed by the bounds that it surely lies between.
    private static func json(_ counts: BucketCounts) -> JSONObject {
        var object = JSONObject()
        object.add("count", raw: "\(counts.total)")
        for (name, share) in [("p50", 0.5), ("p99", 0.99)] {
            guard let quantile = counts.quantile(share) else { continue }
            object.add(name + "_seconds", number: quantile.estimate)
            object.add(name + "_above", number: quantile.above)
            if quantile.atMost.isFinite { object.add(name + "_at_most", number: quantile.atMost) }
        }
        return object
    }

    private static func json(_ prefix: Prefix, isNamed: Bool = true) -> JSONObject {
        var object = JSONObject()
        if isNamed {
            object.add("prefix", raw: "\"\(GoText.base64(prefix.bytes))\"")
            object.add("prefix_text", String(GoText.quoted(prefix.bytes).dropFirst().dropLast()))
        }
        object.add("events_per_second", number: prefix.eventsPerSecond)
        object.add("puts_per_second", number: prefix.putsPerSecond)
        object.add("deletes_per_second", number: prefix.deletesPerSecond)
        object.add("bytes_per_second", number: prefix.bytesPerSecond)
        return object
    }
}

extension JSONObject {
    /// Left out when there is none.
    fileprivate mutating func add(_ name: String, number: Double?) {
        guard let number, number.isFinite else { return }
        let isWhole = number == number.rounded() && number.magnitude < 1e15
        add(name, raw: isWhole ? "\(Int64(number))" : "\(number)")
    }
}

extension MemberMetrics.Gauge {
    fileprivate var jsonName: String {
        switch self {
        case .proposalsPending: "proposals_pending"
        case .watchers: "watchers"
        case .watchStreams: "watch_streams"
        case .slowWatchers: "slow_watchers"
        case .pendingEvents: "pending_events"
        case .leases: "leases"
        case .residentBytes: "resident_bytes"
        case .started: "started_unix_seconds"
        }
    }
}

extension MemberMetrics.Counter {
    fileprivate var jsonName: String {
        switch self {
        case .proposalsFailed: "proposals_failed_per_second"
        case .watchEvents: "watch_events_per_second"
        case .leasesGranted: "leases_granted_per_second"
        case .leasesRevoked: "leases_revoked_per_second"
        case .leasesExpired: "leases_expired_per_second"
        case .leasesRenewed: "leases_renewed_per_second"
        case .cpuSeconds: "cpu_share"
        case .bytesReceived: "client_bytes_received_per_second"
        case .bytesSent: "client_bytes_sent_per_second"
        }
    }
}

extension MemberMetrics.Timing {
    fileprivate var jsonName: String {
        switch self {
        case .walSync: "wal_sync"
        case .apply: "apply"
        case .backendCommit: "backend_commit"
        case .peerRoundTrip: "peer_round_trip"
        }
    }
}
