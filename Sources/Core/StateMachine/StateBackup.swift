package import StrakeAuth
package import StrakeLeases
package import StrakeMVCC
package import StrakeModel
package import StrakeRaft

/// The whole state at one entry, to be written down for another program. It holds history from physical removal until it
/// is dropped, and no transaction between two reads.
package struct StateBackup: Sendable {
    package let metadata: SnapshotMetadata
    /// By id.
    package let leases: [Lease]
    package let alarms: [AlarmMember]
    package let members: [MemberAttributes]
    package let auth: AuthStore
    package let history: HistoryTransfer
}

extension StateMachine {
    /// Everything applied must be published.
    package func backup() -> StateBackup {
        StateBackup(
            metadata: snapshot, leases: lessor.all, alarms: alarms.raised, members: members,
            auth: auth, history: store.transfer())
    }
}
