internal import StrakeMVCC
internal import StrakeModel
internal import StrakeStore
internal import Synchronization

extension MetricsPage {
    /// Keys, leases and watches.
    mutating func store(_ service: Service) {
        let store = service.store
        let gauges = store.metrics
        let watches = service.metrics.watchTotals
        gauge(
            "etcd_mvcc_db_total_size_in_bytes", "Total size of the underlying database physically allocated in bytes.",
            max(gauges.fileBytes.load(ordering: .relaxed), store.bytesInUse))
        gauge(
            "etcd_mvcc_db_total_size_in_use_in_bytes",
            "Total size of the underlying database logically in use in bytes.", store.bytesInUse)
        gauge(
            "etcd_mvcc_db_open_read_transactions", "The number of currently open read transactions",
            store.reader.openReads)
        value(
            "etcd_debugging_mvcc_total_put_size_in_bytes", "gauge",
            "Bytes of the keys and values that this member has seen put.",
            Int(gauges.putBytes.load(ordering: .relaxed)))
        gauge("etcd_debugging_mvcc_current_revision", "The current revision of store.", Int(store.reader.revision))
        gauge("etcd_debugging_mvcc_keys_total", "Keys that there are at the current revision.", store.reader.keyCount)
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
            Int(gauges.ranges.load(ordering: .relaxed)) + service.metrics.count(.started, of: .range)
                + service.metrics.count(.started, of: .rangeStream))
        gauge("strake_leases", "Leases that exist.", gauges.leases.load(ordering: .relaxed))
        counter("etcd_debugging_lease_granted_total", "The total number of granted leases.", gauges.leasesGranted)
        counter("etcd_debugging_lease_revoked_total", "The total number of revoked leases.", gauges.leasesRevoked)
        counter(
            "etcd_debugging_server_lease_expired_total", "The total number of expired leases.", gauges.leasesExpired)
        histogram("etcd_debugging_lease_ttl_total", "Seconds that leases were granted for.", gauges.leaseTTLs)
    }

    /// What goes to the disk, and what comes off it.
    mutating func disk(_ service: Service) {
        let gauges = service.store.metrics
        value(
            "etcd_disk_wal_write_bytes_total", "gauge", "Bytes written to the log.",
            "\(gauges.logBytes.load(ordering: .relaxed))")
        histogram("etcd_disk_wal_write_duration_seconds", "Time to write a batch to the log.", gauges.logWrites)
        histogram("etcd_disk_wal_fsync_duration_seconds", "Time of a flush of the log.", gauges.logSyncs)
        histogram(
            "etcd_disk_backend_commit_duration_seconds", "Time to write and flush a checkpoint of the store.",
            gauges.checkpointTimes)
        histogram(
            "etcd_debugging_disk_backend_commit_write_duration_seconds",
            "Time that a transaction of a checkpoint takes to write its pages and flush them.",
            gauges.checkpointCommits)
        histogram(
            "etcd_disk_backend_defrag_duration_seconds",
            "Time to answer Defragment: pages are used again as they come free, so there is nothing to do.",
            service.metrics.defragmentations)
        gauge(
            "etcd_disk_defrag_inflight", "Calls of Defragment that are being answered.",
            service.metrics.defragmenting.value)
        histogram(
            "etcd_disk_backend_snapshot_duration_seconds", "Time to read the whole state for a client's snapshot.",
            gauges.backupTimes)
        gauge(
            "strake_log_start_index", "Index that the log begins after: a member that has less needs a snapshot.",
            Int(service.store.logStart))
        counter("strake_checkpoints_total", "Checkpoints written.", gauges.checkpoints)
        counter("strake_scrubs_total", "Times that the whole store was read and found sound.", gauges.scrubs)
        counter("strake_scrub_bytes_total", "Bytes of records that the scrub has read.", gauges.scrubbedBytes)
        gauge(
            "strake_layer_bytes", "Bytes of recent changes in memory that no checkpoint has written yet.",
            gauges.layerBytes.load(ordering: .relaxed))
        counter(
            "etcd_debugging_mvcc_db_compaction_keys_total", "Events that compaction removed.", gauges.eventsCompacted)
        gauge(
            "etcd_debugging_mvcc_db_compaction_last",
            "Unix time at which the last compaction ended; 0 before the first.",
            gauges.lastCompaction.load(ordering: .relaxed))
        histogram(
            "etcd_debugging_mvcc_db_compaction_pause_duration_milliseconds",
            "Time of one slice of a compaction, which a checkpoint has to wait for.", gauges.compactionSlices)
        histogram(
            "etcd_debugging_mvcc_db_compaction_total_duration_milliseconds",
            "Time from a compaction's first slice to its last.", gauges.compactions)
    }

    /// Snapshots that other members sent.
    mutating func receivedSnapshots(_ service: Service) {
        let gauges = service.store.metrics
        histogram(
            "etcd_snap_db_save_total_duration_seconds",
            "Time from the first piece of another member's snapshot until all of it is a store on the disk.",
            gauges.snapshotSaves)
        histogram(
            "etcd_snap_db_fsync_duration_seconds",
            "Time from the last piece of another member's snapshot until all of it is flushed.", gauges.snapshotSyncs)
    }

    /// Of watch responses, from their encoding to their place in the stream's queue. Those of a turn share its time.
    mutating func watchSends(_ service: Service) {
        let times = service.metrics.watchSends
        let prefix = "etcd_debugging_server_watch_send_loop_"
        histogram(
            prefix + "watch_stream_duration_seconds", "Time to encode and queue a watch response with events.",
            times.responses)
        histogram(
            prefix + "watch_stream_duration_per_event_seconds",
            "Time to encode and queue a watch response with events, for each of its events.", times.perEvent)
        histogram(
            prefix + "control_stream_duration_seconds",
            "Time to encode and queue that a watcher is created or canceled.", times.control)
        histogram(
            prefix + "progress_duration_seconds", "Time to encode and queue how far a watcher or its stream is.",
            times.progress)
    }

    /// How long the parts of a request take.
    mutating func times(_ service: Service) {
        let gauges = service.store.metrics
        histogram("strake_apply_batch_duration_seconds", "Time to apply a batch of entries.", gauges.applies)
        family(
            "etcd_server_apply_duration_seconds", "histogram",
            "Time to apply a command; the commands of a batch share its time evenly.")
        for kind in Command.Kind.allCases {
            for isRefused in [false, true] {
                histogram(
                    "etcd_server_apply_duration_seconds",
                    labels: "op=\"\(kind.operationName)\",success=\"\(!isRefused)\",version=\"v3\"",
                    gauges.applyTimes.histogram(of: kind, isRefused: isRefused))
            }
        }
        family(
            "etcd_server_range_duration_seconds", "histogram",
            "Time to read a range outside transactions; the single keys of a turn share its time evenly.")
        histograms("etcd_server_range_duration_seconds", labels: "", service.metrics.rangeTimes)
        histogram("etcd_mvcc_hash_duration_seconds", "Time to hash the whole store.", service.metrics.hashTimes)
        histogram(
            "etcd_mvcc_hash_rev_duration_seconds", "Time to hash the keys at a revision.", service.metrics.hashKVTimes)
    }
}

extension Command.Kind {
    /// What etcd calls it when it applies it.
    fileprivate var operationName: String {
        switch self {
        case .put: "Put"
        case .deleteRange: "DeleteRange"
        case .txn: "Txn"
        case .compact: "Compaction"
        case .leaseGrant: "LeaseGrant"
        case .leaseRevoke: "LeaseRevoke"
        case .leaseExpire: "LeaseExpire"
        case .leaseCheckpoint: "LeaseCheckpoint"
        case .alarm: "Alarm"
        case .setMember: "ClusterMemberAttrSet"
        case .authEnable: "AuthEnable"
        case .authDisable: "AuthDisable"
        case .authenticate: "Authenticate"
        case .userAdd: "AuthUserAdd"
        case .userDelete: "AuthUserDelete"
        case .userChangePassword: "AuthUserChangePassword"
        case .userGrantRole: "AuthUserGrantRole"
        case .userRevokeRole: "AuthUserRevokeRole"
        case .roleAdd: "AuthRoleAdd"
        case .roleDelete: "AuthRoleDelete"
        case .roleGrantPermission: "AuthRoleGrantPermission"
        case .roleRevokePermission: "AuthRoleRevokePermission"
        }
    }
}
