internal import StrakeEtcdWire
internal import StrakeModel
internal import StrakeStateMachine
internal import StrakeStore
internal import Synchronization

extension MetricsPage {
    /// The member and its part in the cluster.
    mutating func server(_ service: Service) {
        let store = service.store
        let gauges = store.metrics
        let leader = gauges.leader.load(ordering: .relaxed)
        let member = store.memberID
        gauge(
            "etcd_debugging_auth_revision", "The current revision of users, roles and permissions.",
            Int(clamping: service.store.auth.revision))
        gauge(
            "etcd_server_has_leader", "Whether or not a leader exists. 1 is existence, 0 is not.", leader == 0 ? 0 : 1)
        gauge(
            "etcd_server_is_leader", "Whether or not this member is a leader. 1 if is, 0 otherwise.",
            leader == member ? 1 : 0)
        gauge(
            "etcd_server_is_learner", "Whether or not this member is a learner. 1 if is, 0 otherwise.",
            store.isLearner ? 1 : 0)
        gauge(
            "strake_quarantined", "Whether the CORRUPT alarm names this member: 1, and it serves no reads; else 0.",
            store.isQuarantined ? 1 : 0)
        counter(
            "strake_store_comparisons_total", "Times that this member, leading, compared the stores of the members.",
            gauges.digestComparisons)
        counter(
            "etcd_server_heartbeat_send_failures_total",
            "Heartbeats that this member, leading, sent more than two intervals after the one before, for each member.",
            gauges.lateHeartbeats)
        promotions(service)
        gauge(
            "etcd_server_snapshot_apply_in_progress_total",
            "1 while a snapshot of another member's takes the store's place; else 0.",
            gauges.isInstalling.load(ordering: .relaxed) ? 1 : 0)
        alarms(service)
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
        value(
            "etcd_server_health_success", "counter", "The total number of successful health checks",
            service.metrics.healthSuccesses.value)
        value(
            "etcd_server_health_failures", "counter", "The total number of failed health checks",
            service.metrics.healthFailures.value)
        value(
            "etcd_server_read_indexes_failed_total", "counter", "The total number of failed read indexes seen.",
            service.metrics.readIndexFailures.value)
        value(
            "etcd_server_slow_read_indexes_total", "counter",
            "Linearizable reads that were given up because their index or the state at it did not come in time.",
            service.metrics.readIndexTimeouts.value)
        counter(
            "etcd_server_slow_apply_total", "Batches of commands that took more than 100 ms to apply.",
            gauges.slowApplies)
    }

    private mutating func promotions(_ service: Service) {
        let gauges = service.store.metrics
        counter(
            "etcd_server_learner_promote_successes",
            "The total number of successful learner promotions while this member is leader.", gauges.promotions)
        let failures = gauges.promotionFailures.map { (EtcdStatus($0.key).message, $0.value) }.sorted { $0 < $1 }
        // As etcd does it: families of labelled series begin with their first series.
        guard !failures.isEmpty else { return }
        family(
            "etcd_server_learner_promote_failures", "counter",
            "The total number of failed learner promotions while this member is leader.")
        for (reason, count) in failures {
            sample("etcd_server_learner_promote_failures{Reason=\"\(Self.escaped(reason))\"}", Int(count))
        }
    }

    private mutating func alarms(_ service: Service) {
        let alarms = service.store.alarms
        guard !alarms.isEmpty else { return }
        family("etcd_debugging_server_alarms", "gauge", "Alarms that are raised, by the member that they are of.")
        for alarm in alarms {
            let (member, name) = (String(alarm.member, radix: 16), Session.name(of: alarm))
            sample("etcd_debugging_server_alarms{alarm_type=\"\(name)\",server_id=\"\(member)\"}", 1)
        }
    }
}
