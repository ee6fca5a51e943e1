internal import Glibc
internal import StrakeEtcdWire
internal import StrakeMVCC
internal import StrakeStateMachine
internal import StrakeStore
internal import Synchronization

/// The Prometheus page, with etcd's names.
struct MetricsPage {
    private var lines = ""

    init(_ service: Service) {
        server(service)
        store(service)
        network(service)
        calls(service)
        health(service)
        process()
    }

    var text: String { lines }

    private mutating func server(_ service: Service) {
        let store = service.store
        let gauges = store.metrics
        let leader = gauges.leader.load(ordering: .relaxed)
        let member = store.memberID
        gauge(
            "etcd_server_has_leader", "Whether or not a leader exists. 1 is existence, 0 is not.", leader == 0 ? 0 : 1)
        gauge(
            "etcd_server_is_leader", "Whether or not this member is a leader. 1 if is, 0 otherwise.",
            leader == member ? 1 : 0)
        gauge("etcd_server_is_learner", "Whether or not this member is a learner. 1 if is, 0 otherwise.", 0)
        counter("etcd_server_leader_changes_seen_total", "The number of leader changes seen.", gauges.leaderChanges)
        let committed = gauges.committed.load(ordering: .relaxed)
        let applied = gauges.applied.load(ordering: .relaxed)
        gauge(
            "etcd_server_proposals_committed_total", "The total number of consensus proposals committed.",
            Int(committed))
        gauge("etcd_server_proposals_applied_total", "The total number of consensus proposals applied.", Int(applied))
        gauge(
            "etcd_server_proposals_pending", "The current number of pending proposals to commit.",
            Int(committed - min(applied, committed)))
        counter(
            "etcd_server_proposals_failed_total", "The total number of failed proposals seen.", gauges.proposalsFailed)
        gauge(
            "etcd_server_quota_backend_bytes", "Current backend storage quota size in bytes.",
            Int(store.options.quotaBytes ?? 0))
        family(
            "etcd_server_version", "gauge",
            "Which version is running. 1 for 'server_version' label with current version.")
        sample("etcd_server_version{server_version=\"\(service.options.version)\"}", 1)
        family(
            "etcd_cluster_version", "gauge",
            "Which version is running. 1 for 'cluster_version' label with current cluster version")
        sample("etcd_cluster_version{cluster_version=\"\(service.options.clusterVersion.dropLast(2))\"}", 1)
        family(
            "etcd_server_id", "gauge",
            "Server or member ID in hexadecimal format. 1 for 'server_id' label with current ID.")
        sample("etcd_server_id{server_id=\"\(String(member, radix: 16))\"}", 1)
    }

    private mutating func store(_ service: Service) {
        let store = service.store
        let gauges = store.metrics
        let watches = service.metrics.watchTotals
        gauge(
            "etcd_mvcc_db_total_size_in_bytes", "Total size of the underlying database physically allocated in bytes.",
            gauges.fileBytes.load(ordering: .relaxed))
        gauge(
            "etcd_mvcc_db_total_size_in_use_in_bytes",
            "Total size of the underlying database logically in use in bytes.", store.bytesInUse)
        gauge("etcd_debugging_mvcc_current_revision", "The current revision of store.", Int(store.reader.revision))
        gauge(
            "etcd_debugging_mvcc_compact_revision", "The revision of the last compaction in store.",
            Int(store.reader.compactRevision))
        gauge("etcd_debugging_mvcc_watch_stream_total", "Total number of watch streams.", watches.streams)
        gauge("etcd_debugging_mvcc_watcher_total", "Total number of watchers.", watches.watchers)
        gauge("etcd_debugging_mvcc_slow_watcher_total", "Total number of unsynced slow watchers.", watches.slow)
        gauge("etcd_debugging_mvcc_pending_events_total", "Total number of pending events to be sent.", watches.pending)
        value(
            "etcd_debugging_mvcc_events_total", "counter", "Total number of events sent by this member.",
            service.metrics.watchEvents.value)
        value(
            "etcd_debugging_lease_renewed_total", "counter", "The number of renewed leases seen by the leader.",
            service.metrics.leaseRenewals.value)
        counter("etcd_mvcc_put_total", "Total number of puts seen by this member.", gauges.puts)
        counter("etcd_mvcc_delete_total", "Total number of deletes seen by this member.", gauges.deletes)
        counter("etcd_mvcc_txn_total", "Total number of txns seen by this member.", gauges.txns)
        value(
            "etcd_mvcc_range_total", "counter", "Total number of ranges seen by this member.",
            Int(gauges.ranges.load(ordering: .relaxed)) + service.metrics.started(of: .range)
                + service.metrics.started(of: .rangeStream))
        counter("etcd_debugging_lease_granted_total", "The total number of granted leases.", gauges.leasesGranted)
        counter("etcd_debugging_lease_revoked_total", "The total number of revoked leases.", gauges.leasesRevoked)
        counter(
            "etcd_debugging_server_lease_expired_total", "The total number of expired leases.", gauges.leasesExpired)
        histogram(
            "etcd_disk_wal_fsync_duration_seconds", "The latency distributions of fsync called by WAL.",
            gauges.logSyncs)
        histogram(
            "etcd_disk_backend_commit_duration_seconds", "The latency distributions of commit called by backend.",
            gauges.checkpointTimes)
        histogram("strake_apply_batch_duration_seconds", "Time to apply a batch of entries.", gauges.applies)
        counter("strake_checkpoints_total", "Checkpoints written.", gauges.checkpoints)
        gauge(
            "strake_layer_bytes", "Bytes of recent changes in memory that no checkpoint has written yet.",
            gauges.layerBytes.load(ordering: .relaxed))
    }

    private mutating func network(_ service: Service) {
        value(
            "etcd_network_client_grpc_received_bytes_total", "counter",
            "The total number of bytes received from grpc clients.", service.metrics.bytesReceived.value)
        value(
            "etcd_network_client_grpc_sent_bytes_total", "counter", "The total number of bytes sent to grpc clients.",
            service.metrics.bytesSent.value)
    }

    private mutating func calls(_ service: Service) {
        family("grpc_server_started_total", "counter", "Total number of RPCs started on the server.")
        for method in Method.allCases {
            sample("grpc_server_started_total{\(labels(method))}", service.metrics.started(of: method))
        }
        family(
            "grpc_server_handled_total", "counter",
            "Total number of RPCs completed on the server, regardless of success or failure.")
        for method in Method.allCases {
            for code in 0...16 {
                guard let status = StatusCode(rawValue: UInt8(code)) else { continue }
                sample(
                    "grpc_server_handled_total{grpc_code=\"\(Self.codeNames[code])\",\(labels(method))}",
                    service.metrics.finished(of: method, status))
            }
        }
    }

    private func labels(_ method: Method) -> String {
        "grpc_method=\"\(method.name)\",grpc_service=\"\(method.service)\",grpc_type=\"\(method.shape)\""
    }

    private static let codeNames = [
        "OK", "Canceled", "Unknown", "InvalidArgument", "DeadlineExceeded", "NotFound", "AlreadyExists",
        "PermissionDenied", "ResourceExhausted", "FailedPrecondition", "Aborted", "OutOfRange", "Unimplemented",
        "Internal", "Unavailable", "DataLoss", "Unauthenticated",
    ]

    private mutating func health(_ service: Service) {
        value(
            "etcd_server_health_success", "counter", "The total number of successful health checks",
            service.metrics.healthSuccesses.value)
        value(
            "etcd_server_health_failures", "counter", "The total number of failed health checks",
            service.metrics.healthFailures.value)
        value(
            "etcd_server_read_indexes_failed_total", "counter", "The total number of failed read indexes seen.",
            service.metrics.readIndexFailures.value)
    }

    /// When the process began, in seconds since 1970: the age of its directory in /proc.
    private static func startSeconds() -> Int {
        var status = stat()
        return stat("/proc/self", &status) == 0 ? Int(status.st_ctim.tv_sec) : 0
    }

    private mutating func process() {
        let open = Self.openFiles()
        var files = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files)
        gauge("os_fd_used", "The number of used file descriptors.", open)
        gauge("os_fd_limit", "The file descriptor limit.", Int(clamping: files.rlim_cur))
        gauge(
            "process_start_time_seconds", "Start time of the process since unix epoch in seconds.", Self.startSeconds())
        gauge("process_virtual_memory_bytes", "Virtual memory size in bytes.", Self.memoryBytes(field: 0))
        gauge("process_open_fds", "Number of open file descriptors.", open)
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        let seconds =
            Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
            + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
        family("process_cpu_seconds_total", "counter", "Total user and system CPU time spent in seconds.")
        lines += "process_cpu_seconds_total \(seconds)\n"
        gauge("process_resident_memory_bytes", "Resident memory size in bytes.", Self.memoryBytes(field: 1))
        gauge("process_max_fds", "Maximum number of open file descriptors.", Int(clamping: files.rlim_cur))
    }

    private static func openFiles() -> Int {
        guard let directory = opendir("/proc/self/fd") else { return 0 }
        defer { closedir(directory) }
        var count = 0
        while let entry = readdir(directory) {
            if entry.pointee.d_name.0 != UInt8(ascii: ".") { count += 1 }
        }
        // The descriptor of the listing itself is not counted.
        return count - 1
    }

    /// A number of /proc/self/statm: pages of address space, resident pages.
    private static func memoryBytes(field: Int) -> Int {
        guard let file = fopen("/proc/self/statm", "r") else { return 0 }
        defer { fclose(file) }
        var buffer = [CChar](repeating: 0, count: 128)
        guard fgets(&buffer, Int32(buffer.count), file) != nil else { return 0 }
        let text = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let fields = text.split(separator: " ")
        return fields.count > field ? (Int(fields[field]) ?? 0) * Int(getpagesize()) : 0
    }

    // MARK: Lines

    private mutating func histogram(_ name: String, _ help: String, _ histogram: DurationHistogram) {
        family(name, "histogram", help)
        let counts = histogram.cumulative
        for (bound, count) in zip(histogram.bounds, counts) { sample("\(name)_bucket{le=\"\(bound)\"}", Int(count)) }
        sample("\(name)_bucket{le=\"+Inf\"}", Int(counts.last ?? 0))
        lines += "\(name)_sum \(histogram.seconds)\n"
        sample("\(name)_count", Int(counts.last ?? 0))
    }

    private mutating func family(_ name: String, _ type: String, _ help: String) {
        lines += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
    }

    private mutating func sample(_ series: String, _ value: Int) {
        lines += "\(series) \(value)\n"
    }

    private mutating func value(_ name: String, _ type: String, _ help: String, _ value: Int) {
        family(name, type, help)
        sample(name, value)
    }

    private mutating func gauge(_ name: String, _ help: String, _ value: Int) {
        self.value(name, "gauge", help, value)
    }

    private mutating func counter(_ name: String, _ help: String, _ atomic: borrowing Atomic<UInt64>) {
        value(name, "counter", help, Int(atomic.load(ordering: .relaxed)))
    }
}
