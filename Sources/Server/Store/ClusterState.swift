internal import StrakeModel
internal import StrakeRaft
internal import StrakeStateMachine

/// Who is in the cluster and which alarms are raised, as this member has applied it: a copy for threads that must not wait
/// for the apply role, such as event loops and the one that sends heartbeats.
struct ClusterState: Sendable {
    /// By id.
    var members: [MemberAttributes]
    var configuration: Configuration
    var alarms: [AlarmMember]

    init(_ machine: borrowing StateMachine) {
        members = machine.members
        configuration = machine.configuration
        alarms = machine.alarms.raised
    }

    func isLearner(_ member: UInt64) -> Bool {
        let id = MemberID(rawValue: member)
        return configuration.learners.contains(id) || configuration.learnersNext.contains(id)
    }
}
