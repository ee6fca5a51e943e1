import StrakeModel
import StrakeRaft
import StrakeStateMachine
import Testing

@Suite struct AlarmTests {
    private func listed(_ machine: Machine, _ index: UInt64, _ command: AlarmCommand) throws -> [AlarmMember]? {
        guard case .alarms(let alarms)? = try machine.machine.apply(Entry(index, .alarm(command))) else { return nil }
        return alarms
    }

    @Test func `an alarm of no kind is not raised, and one of any other is`() throws {
        let machine = try Machine()
        let none = AlarmCommand(action: .activate, member: 1, alarm: AlarmMember.none)
        #expect(try listed(machine, 2, none) == [])
        let other = AlarmCommand(action: .activate, member: 1, alarm: 9)
        #expect(try listed(machine, 3, other) == [AlarmMember(member: 1, alarm: 9)])
        let all = AlarmCommand(action: .get, member: 0, alarm: AlarmMember.none)
        #expect(try listed(machine, 4, all) == [AlarmMember(member: 1, alarm: 9)])
    }
}
