internal import StrakeMVCC
internal import StrakeModel
internal import StrakeStateMachine
internal import Synchronization

extension EmbeddedStore {
    /// Why the cluster refuses changes.
    public enum Alarm: Hashable, Sendable {
        /// A member has used up its quota: what takes room is refused.
        case noSpace(member: UInt64)
        /// The member's store is not what a majority has; 0: some member's.
        case corrupt(member: UInt64)
    }

    /// How the member is, just now. All of it is from memory.
    public struct Status: Hashable, Sendable {
        public var clusterID: UInt64
        public var memberID: UInt64
        /// Newest main revision that can be read here.
        public var revision: Int64
        /// Below it history is gone; 0: never compacted.
        public var compactRevision: Int64
        public var term: UInt64
        /// Who leads, as far as this member knows.
        public var leader: UInt64?
        /// It replicates, and does not vote yet.
        public var isLearner: Bool
        public var committedIndex: UInt64
        public var appliedIndex: UInt64
        /// Bytes of the store's file.
        public var fileBytes: Int
        /// Bytes in use in file and memory: what the quota counts.
        public var bytesInUse: Int
        /// Bytes appended to the log, and flushes of it, since the store was opened. Changes that come at the same time
        /// share a flush.
        public var logBytes: UInt64
        public var logFlushes: UInt64
        public var alarms: [Alarm]

        public var isLeader: Bool { leader == memberID }
    }

    /// Of a closed store: as it was at its end.
    public var status: Status {
        switch parts.state {
        case .open(let running): Status(of: running.store)
        case .closed(let status, _): status
        }
    }

    /// Newest main revision that can be read here.
    public var revision: Int64 {
        switch parts.state {
        case .open(let running): running.store.reader.revision
        case .closed(let status, _): status.revision
        }
    }

    /// Takes all alarms back, once there is room again: after a compaction, and deletes, or with a higher quota. Too early,
    /// they are raised anew.
    public func disarmAlarms() async throws(EmbeddedStoreError) {
        for alarm in try store.alarms {
            let command = AlarmCommand(action: .deactivate, member: alarm.member, alarm: alarm.alarm)
            _ = try await change(.alarm(command), takesRoom: false)
        }
    }
}

extension EmbeddedStore.Status {
    init(of store: Store) {
        let (status, gauges) = (store.status(), store.metrics)
        self.init(
            clusterID: store.clusterID, memberID: store.memberID, revision: store.reader.revision,
            compactRevision: store.reader.compactRevision, term: status.term,
            leader: status.leader == 0 ? nil : status.leader, isLearner: store.isLearner,
            committedIndex: status.committedIndex, appliedIndex: status.appliedIndex, fileBytes: status.fileBytes,
            bytesInUse: status.bytesInUse, logBytes: gauges.logBytes.load(ordering: .relaxed),
            logFlushes: gauges.logSyncs.cumulative.last ?? 0,
            alarms: status.alarms.compactMap { EmbeddedStore.Alarm($0) })
    }
}

extension EmbeddedStore.Alarm {
    /// Nil: an alarm that this release does not know, which refuses nothing.
    init?(_ alarm: AlarmMember) {
        switch alarm.alarm {
        case AlarmMember.noSpace: self = .noSpace(member: alarm.member)
        case AlarmMember.corrupt: self = .corrupt(member: alarm.member)
        default: return nil
        }
    }
}
