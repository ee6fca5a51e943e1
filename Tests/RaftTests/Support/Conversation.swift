internal import StrakeDataDriven
internal import StrakeRaft

/// A cluster driven by the scenario files' commands, for tests that look at its state instead of its words.
struct Conversation {
    private var interpreter = Interpreter()
    var cluster: Cluster { interpreter.cluster }

    init(_ commands: String) { run(commands) }

    @discardableResult
    mutating func run(_ commands: String) -> String {
        commands.split(separator: "\n").map { interpreter.run(Command(String($0))) }
            .filter { !$0.isEmpty }.joined(separator: "\n")
    }

    subscript(_ id: UInt64) -> RaftNode { interpreter.cluster[id] }

    var leaders: [UInt64] {
        cluster.members.filter { $0.node?.isLeader == true }.map(\.id.rawValue)
    }
}
