internal import StrakeRaft
internal import StrakeStore

/// What /debug/vars shows, as etcd does: the process, and how the member stands in raft.
struct DebugVariables {
    private(set) var text: String

    init(_ service: Service, arguments: [String]) {
        let status = service.store.raftStatus
        let members = [
            ("cmdline", "[\(arguments.map(Self.quoted).joined(separator: ","))]"),
            ("file_descriptor_limit", "\(MetricsPage.openFilesMax)"),
            ("memstats", Self.memory(RuntimeFigures())),
            ("raft.status", Self.raft(status, of: service.store.memberID)),
        ]
        text = "{\n" + members.map { "\"\($0.0)\": \($0.1)" }.joined(separator: ",\n") + "\n}\n"
    }

    // MARK: memstats

    /// Under the names of Go's runtime, what /metrics has as `go_memstats_`.
    private static func memory(_ figures: RuntimeFigures) -> String {
        var members = [("StackInuse", figures.stackBytes), ("StackSys", figures.stackBytes)]
        if let heap = figures.heap {
            members += [
                ("Alloc", heap.usedBytes), ("HeapAlloc", heap.usedBytes), ("HeapInuse", heap.usedBytes),
                ("HeapIdle", heap.systemBytes - heap.usedBytes), ("HeapReleased", 0), ("HeapSys", heap.systemBytes),
                ("OtherSys", figures.otherBytes),
                ("Sys", heap.systemBytes + figures.stackBytes + figures.otherBytes),
            ]
        }
        let nothing = [
            "MSpanInuse", "MSpanSys", "MCacheInuse", "MCacheSys", "BuckHashSys", "GCSys", "NextGC", "LastGC",
            "PauseTotalNs", "NumGC", "NumForcedGC", "GCCPUFraction",
        ]
        members += nothing.map { ($0, 0) }
        return "{" + members.map { "\"\($0.0)\":\($0.1)," }.joined() + "\"EnableGC\":false}"
    }

    // MARK: raft.status

    private static func raft(_ status: RaftStatus, of member: UInt64) -> String {
        let progress = status.members.map { member in
            "\(hex(member.member)):{\"match\":\(member.match.rawValue),\"next\":\(member.next.rawValue),"
                + "\"state\":\"\(name(of: member.state))\"}"
        }
        return "{\"id\":\(hex(MemberID(rawValue: member))),\"term\":\(status.hardState.term.rawValue),"
            + "\"vote\":\(hex(status.hardState.vote)),\"commit\":\(status.hardState.committed.rawValue),"
            + "\"lead\":\(hex(status.leadership.leader)),\"raftState\":\"\(name(of: status.leadership.role))\","
            + "\"applied\":\(status.applied.rawValue),\"progress\":{\(progress.joined(separator: ","))},"
            + "\"leadtransferee\":\(hex(status.transferee))}"
    }

    /// Nobody is 0.
    private static func hex(_ member: MemberID?) -> String { "\"\(String(member?.rawValue ?? 0, radix: 16))\"" }

    private static func name(of role: RoleKind) -> String {
        switch role {
        case .follower: "StateFollower"
        case .preCandidate: "StatePreCandidate"
        case .candidate: "StateCandidate"
        case .leader: "StateLeader"
        }
    }

    private static func name(of state: RaftStatus.Member.State) -> String {
        switch state {
        case .probe: "StateProbe"
        case .replicate: "StateReplicate"
        case .snapshot: "StateSnapshot"
        }
    }

    // MARK: JSON

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\\(scalar)"
            case "\0"..<" ":
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
