internal import StrakeStore

// What an etcd shows and what never changes while a member runs, or not at all.
extension MetricsPage {
    private static let stage = Histogram()
    private static let indexPause = Histogram(firstBound: 0.5, count: 14, perUnit: 1e6)

    /// Stages that are no part of the work here: nothing is ever observed.
    mutating func unusedStages() {
        let stages = [
            ("etcd_debugging_disk_backend_commit_rebalance_duration_seconds", "Time that a commit merges pages"),
            ("etcd_debugging_disk_backend_commit_spill_duration_seconds", "Time that a commit splits pages"),
            ("etcd_debugging_snap_save_marshalling_duration_seconds", "Time to encode a snapshot file"),
            ("etcd_debugging_snap_save_total_duration_seconds", "Time to save a snapshot file"),
            ("etcd_snap_fsync_duration_seconds", "Time to sync a snapshot file"),
        ]
        for (name, help) in stages { histogram(name, help + "; it never does here.", Self.stage) }
        histogram(
            "etcd_debugging_mvcc_index_compaction_pause_duration_milliseconds",
            "Time that compaction holds an index in memory; there is none here.", Self.indexPause)
    }

    /// Counts of what there is not: a v2 store, which an etcd has no longer either, and a proxy, which is a program of its
    /// own.
    mutating func absentParts() {
        value("etcd_debugging_store_expires_total", "counter", "Expired keys of the v2 store.", 0)
        value("etcd_debugging_store_watch_requests_total", "counter", "Watch requests to the v2 store.", 0)
        gauge("etcd_debugging_store_watchers", "Watchers of the v2 store.", 0)
        gauge("etcd_grpc_proxy_cache_hits_total", "Cache hits of a proxy.", 0)
        gauge("etcd_grpc_proxy_cache_keys_total", "Keys in a proxy's cache.", 0)
        gauge("etcd_grpc_proxy_cache_misses_total", "Cache misses of a proxy.", 0)
        value("etcd_grpc_proxy_events_coalescing_total", "counter", "Events that a proxy put together.", 0)
        gauge("etcd_grpc_proxy_watchers_coalescing_total", "Watchers that a proxy put together.", 0)
    }

    /// etcd's gates, with whether this member does what each switches.
    mutating func features(_ service: Service) {
        let logsHashChecks = service.store.options.hashCheckNoticeMilliseconds != nil
        let features = [
            ("AllAlpha", "ALPHA", false), ("AllBeta", "BETA", false),
            ("CompactHashCheck", "ALPHA", logsHashChecks),
            // A renewal waits for the commands before it, as a linearizable read does.
            ("FastLeaseKeepAlive", "BETA", false),
            // Members compare their states from their first second on.
            ("InitialCorruptCheck", "ALPHA", true),
            // What is left of a lease is in the log and in the store.
            ("LeaseCheckpoint", "ALPHA", true), ("LeaseCheckpointPersist", "ALPHA", true),
            ("PriorityRequest", "ALPHA", false), ("SetMemberLocalAddr", "ALPHA", false),
            ("StopGRPCServiceOnDefrag", "ALPHA", false),
            // A transaction checks itself on what is applied, of which nothing is copied.
            ("TxnModeWriteWithSharedBuffer", "BETA", true),
        ]
        family("etcd_server_feature_enabled", "gauge", "Whether a feature is there and on: 1, or 0.")
        for (name, stage, isEnabled) in features {
            sample("etcd_server_feature_enabled{name=\"\(name)\",stage=\"\(stage)\"}", isEnabled ? 1 : 0)
        }
        family("etcd_server_go_version", "gauge", "The toolchain that the server is built with.")
        sample("etcd_server_go_version{server_go_version=\"\(RuntimeFigures.toolchain)\"}", 1)
    }
}
