package import StrakeLeases
internal import StrakeMVCC
package import StrakeModel
package import StrakeRaft
internal import StrakeReplication
package import StrakeStateMachine
internal import Synchronization

/// What `Status` shows.
package struct StoreStatus: Sendable {
    package var term: UInt64
    package var leader: UInt64
    package var committedIndex: UInt64
    package var appliedIndex: UInt64
    /// Bytes of the store's file on disk.
    package var fileBytes: Int
    /// Bytes in use in the file and in memory: what the quota counts.
    package var bytesInUse: Int
    package var alarms: [AlarmMember]
}

extension Store {
    package func status() -> StoreStatus {
        StoreStatus(
            term: gauges.term.load(ordering: .relaxed), leader: gauges.leader.load(ordering: .relaxed),
            committedIndex: gauges.committed.load(ordering: .relaxed),
            appliedIndex: gauges.applied.load(ordering: .relaxed), fileBytes: gauges.fileBytes.load(ordering: .relaxed),
            bytesInUse: bytesInUse, alarms: alarms)
    }

    /// How the member stands in raft. Waits for the step that is being taken.
    package var raftStatus: RaftStatus { replica.withLock { $0.replica.node.status } }

    package var metrics: StoreGauges { gauges }

    package var isServing: Bool { lifecycle.isServing && !lifecycle.isStopped }

    /// As of the last checkpoint, with what came since: exact enough to stop in time, and free to ask.
    package var bytesInUse: Int {
        gauges.pageBytes.load(ordering: .relaxed) + gauges.layerBytes.load(ordering: .relaxed)
    }

    /// No room for what takes room; the NOSPACE alarm should be raised.
    package var isOverQuota: Bool {
        guard let quota = options.quotaBytes else { return false }
        return Int64(bytesInUse) >= quota
    }

    package var alarms: [AlarmMember] { cluster.alarms }

    // MARK: Leases

    /// The leader's answers to keep-alives; ask only after a successful `read`, which proves the leadership.
    ///
    /// - Returns: With the term whose leader has answered: what is renewed is proposed in that one only.
    package func keepAlive(_ ids: [LeaseID]) -> (answers: [KeepAlive], term: UInt64) {
        let now = MonotonicClock.milliseconds
        return leases.clock.withLock { clock in
            (ids.map { clock.keepAlive($0, now: now) }, leases.term.load(ordering: .relaxed))
        }
    }

    package func renewalCommitted(_ renewal: LeaseRenewal) {
        leases.clock.withLock { $0.renewalCommitted(renewal) }
    }

    /// Milliseconds a lease has left; `nil` when unknown.
    package func remaining(of lease: LeaseID) -> Int64? {
        let now = MonotonicClock.milliseconds
        return leases.clock.withLock { $0.remaining(of: lease, now: now) }
    }

    /// Seconds, as granted; `nil` when there is no such lease.
    package func ttl(of lease: LeaseID) -> Int64? { leases.clock.withLock { $0.ttl(of: lease) } }

    package var leaseIDs: [LeaseID] { leases.clock.withLock { $0.idsByDeadline() } }
}
