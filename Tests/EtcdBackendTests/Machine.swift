import StrakeMVCC
import StrakeModel
import StrakeRaft
import StrakeStateMachine
import StrakeTables
import StrakeTemporaryDirectory

/// A state machine on a file of its own, with the entries that tests make.
final class Machine {
    static let founding = SnapshotMetadata.bootstrap(voters: [MemberID(rawValue: 0xA1), MemberID(rawValue: 0x20)])
    static let members = [
        MemberAttributes(
            id: 0xA1, name: "m\"1\"", peerURLs: ["http://127.0.0.1:1"], clientURLs: ["http://127.0.0.1:2"]),
        MemberAttributes(id: 0x20, name: "", peerURLs: ["http://127.0.0.1:3", "http://127.0.0.1:4"]),
    ]

    private let directory = TemporaryDirectory()
    var machine: StateMachine
    private var index = founding.last.index.rawValue

    init() throws {
        machine = try StateMachine(
            tables: try StoreTables(directory: directory.path), founding: Self.founding, foundingMembers: Self.members)
    }

    var revision: Int64 { machine.store.revision }
    var applied: EntryID { machine.applied }

    func backup() -> StateBackup { machine.backup() }

    func apply(_ command: Command) throws {
        index += 1
        let data = ProposedCommand(id: ProposalID(rawValue: index), command: command).encoded()
        let id = EntryID(term: Term(rawValue: 3), index: LogIndex(rawValue: index))
        _ = try machine.apply(Entry(id: id, kind: .command, data: data))
        machine.store.publish()
    }

    func checkpoint() throws {
        guard let work = machine.freeze() else { return }
        try work.run()
        machine.store.finish(work)
    }

    /// As far as it may go.
    func compact() throws -> Int {
        var removed = 0
        while true {
            let slice = try machine.store.compactor.runSlice(eventsMax: 50)
            removed += slice.removedCount
            if slice.progress != .unfinished { return removed }
        }
    }
}

extension String {
    var bytes: [UInt8] { [UInt8](utf8) }
}
