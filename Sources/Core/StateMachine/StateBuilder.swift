package import StrakeAuth
package import StrakeLeases
package import StrakeMVCC
package import StrakeModel
package import StrakeRaft
package import StrakeTables

/// Makes a state machine's tables of what another program wrote down, in bounded memory.
package struct StateBuilder: ~Copyable {
    /// Where the history that was added ends, and how much of it can be read.
    package struct Revisions: Hashable, Sendable {
        /// Newest main revision; at or above the last event's.
        package var newest: Int64
        /// Zero: never compacted.
        package var compact: Int64
        /// How far those that lie below a compact revision are gone; at most `compact`.
        package var compacted: Int64

        package init(newest: Int64, compact: Int64, compacted: Int64) {
            self.newest = newest
            self.compact = compact
            self.compacted = compacted
        }
    }

    private var builder: StoreBuilder

    /// - Parameter tables: Empty ones.
    package init(into tables: StoreTables) throws(MVCCError) {
        builder = try StoreBuilder(tables: tables)
    }

    /// Adds the next event, in the order of the revisions.
    ///
    /// - Returns: False for an event that cannot come next.
    package mutating func append(_ event: ImportedEvent) throws(MVCCError) -> Bool { try builder.append(event) }

    /// Makes the tables whole and durable.
    ///
    /// - Parameters:
    ///   - start: The entry that the state is to be as of, and who votes.
    ///   - members: Those of `start`.
    /// - Returns: False when the events do not fit the revisions.
    package consuming func finish(
        _ start: SnapshotMetadata, members: [MemberAttributes], leases: [Lease], alarms: [AlarmMember],
        auth: AuthStore = AuthStore(), revisions: Revisions
    ) throws(MVCCError) -> Bool {
        var rows = leases.map { StateChange(key: StateRecords.leaseKey($0.id), value: LeaseRecord.encode($0)) }
        rows += alarms.map { StateChange(key: StateRecords.alarmKey($0), value: []) }
        rows += members.map { StateChange(key: StateRecords.memberKey($0.id), value: StateRecords.member($0)) }
        rows.append(
            StateChange(
                key: StateRecords.configurationKey, value: StateRecords.configuration(start.configuration)))
        rows += StateRecords.rows(of: auth)
        return try builder.finish(
            appliedIndex: start.last.index.rawValue, appliedTerm: start.last.term.rawValue,
            revision: revisions.newest, compactRevision: revisions.compact, compacted: revisions.compacted,
            stateChanges: rows)
    }
}
