/// What is taken of a member's page of metrics.
package struct MemberMetrics: Hashable, Sendable {
    /// What only grows while the process lives.
    package enum Counter: String, CaseIterable, Sendable {
        case proposalsFailed = "etcd_server_proposals_failed_total"
        case watchEvents = "etcd_debugging_mvcc_events_total"
        case leasesGranted = "etcd_debugging_lease_granted_total"
        case leasesRevoked = "etcd_debugging_lease_revoked_total"
        case leasesExpired = "etcd_debugging_server_lease_expired_total"
        case leasesRenewed = "etcd_debugging_lease_renewed_total"
        case cpuSeconds = "process_cpu_seconds_total"
        case bytesReceived = "etcd_network_client_grpc_received_bytes_total"
        case bytesSent = "etcd_network_client_grpc_sent_bytes_total"
    }

    /// What is so many at a moment.
    package enum Gauge: String, CaseIterable, Sendable {
        case proposalsPending = "etcd_server_proposals_pending"
        case watchers = "etcd_debugging_mvcc_watcher_total"
        case watchStreams = "etcd_debugging_mvcc_watch_stream_total"
        case slowWatchers = "etcd_debugging_mvcc_slow_watcher_total"
        case pendingEvents = "etcd_debugging_mvcc_pending_events_total"
        case leases = "strake_leases"
        case residentBytes = "process_resident_memory_bytes"
        /// In seconds since 1970: it tells one life of a member from the next.
        case started = "process_start_time_seconds"
    }

    /// What is timed, all series of a family together.
    package enum Timing: String, CaseIterable, Sendable {
        case walSync = "etcd_disk_wal_fsync_duration_seconds"
        case apply = "etcd_server_apply_duration_seconds"
        case backendCommit = "etcd_disk_backend_commit_duration_seconds"
        case peerRoundTrip = "etcd_network_peer_round_trip_time_seconds"
    }

    /// A gRPC method.
    package struct Method: Hashable, Sendable {
        /// Messages: a unary call is one, and so is each of a stream.
        package var requests: UInt64 = 0
        /// Unary calls that were answered with an error.
        package var failures: UInt64 = 0
        /// From arrival to answer, of calls that succeeded and of those that did not.
        package var times = BucketCounts()

        package init() {}
    }

    /// Methods of a page; further ones are left out. etcd's API has 50.
    package static let methodsMax = 128

    package var counters: [Counter: Double] = [:]
    package var gauges: [Gauge: Double] = [:]
    package var timings: [Timing: BucketCounts] = [:]
    /// By name; those that were never called are left out.
    package private(set) var methods: [String: Method] = [:]

    package init() {}

    package mutating func change(method name: String, _ change: (inout Method) -> Void) {
        guard methods[name] != nil || methods.count < Self.methodsMax else { return }
        change(&methods[name, default: Method()])
    }
}
