package import StrakeModel

/// One alarm of one member.
package struct AlarmMember: Hashable, Sendable {
    package var member: UInt64
    /// etcd's number, kept as it came.
    package var alarm: Int32

    package init(member: UInt64, alarm: Int32) {
        self.member = member
        self.alarm = alarm
    }

    package static let none: Int32 = 0
    package static let noSpace: Int32 = 1
    package static let corrupt: Int32 = 2
}

/// The alarms that are raised. Replicated, so that every member refuses the same requests.
package struct Alarms: Sendable {
    /// By member, then number.
    package private(set) var raised: [AlarmMember] = []
    private var changes: [(alarm: AlarmMember, isRaised: Bool)] = []

    package init() {}

    package var isOutOfSpace: Bool { raised.contains { $0.alarm == AlarmMember.noSpace } }
    package var isCorrupt: Bool { raised.contains { $0.alarm == AlarmMember.corrupt } }

    /// Carries out the command and returns the alarms that the answer lists.
    package mutating func apply(_ command: AlarmCommand) -> [AlarmMember] {
        let subject = AlarmMember(member: command.member, alarm: command.alarm)
        switch command.action {
        case .get:
            return raised.filter { command.alarm == AlarmMember.none || $0.alarm == command.alarm }
        case .activate:
            // There is nothing to raise.
            if command.alarm == AlarmMember.none { return [] }
            if !raised.contains(subject) {
                insert(subject)
                changes.append((subject, true))
            }
            return [subject]
        case .deactivate:
            guard let position = raised.firstIndex(of: subject) else { return [] }
            raised.remove(at: position)
            changes.append((subject, false))
            return [subject]
        }
    }

    /// The rows to write, in order, since the last call.
    mutating func takeChanges() -> [(alarm: AlarmMember, isRaised: Bool)] {
        defer { changes = [] }
        return changes
    }

    mutating func restore(_ alarm: AlarmMember) {
        insert(alarm)
    }

    private mutating func insert(_ alarm: AlarmMember) {
        let position = raised.firstIndex { ($0.member, $0.alarm) > (alarm.member, alarm.alarm) } ?? raised.endIndex
        raised.insert(alarm, at: position)
    }
}
