internal import StrakeDataDriven
internal import StrakeRaft

/// Carries out the commands of a scenario file.
///
/// Members are numbers. A command prints the effects of the steps that it made, one a line, and `quiet` as a word of it
/// prints none:
///
///     nodes 1 2 3 learners=4 joining=5 prevote=off checkquorum=off forward=off
///           election=10 message=1000 inflight=512 uncommitted=1000 apply=1000 cache=1000 stall=10 seed=1
///     campaign 1            tick 1 10             propose 1 a b c          propose-bytes 1 100 3
///     change 1 +2 ~3 -1     leave 1               read 1 7                 transfer 1 2
///     forget 1              compact 1 10          crash 1 kept=2           restart 1
///     deliver 1->2 count=1  drop 1->2             duplicate 1->2           cut 1 2          heal
///     persist 1 count=1     write 1 count=1       acknowledge 1            busy 1    apply 1
///     serve 1 unreported    unreachable 1 2       settle 1 2            stabilize                state            log 1
///     progress 1            network               disk 1
struct Interpreter {
    var cluster = Cluster()
    private var seed: UInt64 = 1

    mutating func run(_ command: Command) -> String {
        cluster.isTracing = !command.words.contains("quiet")
        let printed = perform(command)
        let traced = cluster.takeTrace()
        return [traced, printed].filter { !$0.isEmpty }.joined(separator: "\n")
    }

    private mutating func perform(_ command: Command) -> String {
        switch command.name {
        case "nodes": makeNodes(command)
        case "tick": for _ in 0..<command.number(1, default: 1) { cluster.step(command.member(0), .tick) }
        case "campaign": cluster.step(command.member(0), .campaign)
        case "forget": cluster.step(command.member(0), .forgetLeader)
        case "transfer": cluster.step(command.member(0), .transferLeadership(to: command.member(1)))
        case "read": cluster.step(command.member(0), .readIndex(context: UInt64(command.number(1))))
        case "propose", "propose-bytes", "change", "leave": propose(command)
        case "unreachable": cluster.step(command.member(0), .unreachable(command.member(1)))
        case "persist": cluster.persist(command.member(0), count: command.count)
        case "write": cluster.persist(command.member(0), count: command.count, acknowledging: false)
        case "busy": cluster.step(command.member(0), .diskNotAsked)
        case "acknowledge": cluster.acknowledge(command.member(0))
        case "apply": cluster.apply(command.member(0))
        case "serve": cluster.serve(command.member(0), reporting: !command.words.contains("unreported"))
        case "compact": cluster.compact(command.member(0), through: LogIndex(rawValue: UInt64(command.number(1))))
        case "crash": cluster.crash(command.member(0), keeping: command.arguments["kept"].flatMap { Int($0) } ?? 0)
        case "restart":
            seed += 1
            cluster.restart(command.member(0), seed: seed)
        case "stabilize": cluster.stabilize()
        case "settle": cluster.stabilize(command.members)
        case "deliver", "drop", "duplicate", "cut", "heal": network(command)
        case "state", "log", "progress", "network", "disk": return show(command)
        default: return "unknown command \(command.name)"
        }
        return ""
    }

    private mutating func makeNodes(_ command: Command) {
        let voters = command.members
        let learners = command.list("learners")
        let joining = command.list("joining")
        var base = SnapshotMetadata.bootstrap(voters: voters)
        base.configuration.learners = learners
        for id in voters + learners {
            cluster.add(id, options: command.options, seed: id.rawValue * 100 + seed, base: base)
        }
        for id in joining {
            cluster.add(id, options: command.options, seed: id.rawValue * 100 + seed, base: .joining)
        }
    }

    private func propose(_ command: Command) {
        let id = command.member(0)
        switch command.name {
        case "change":
            let transition: ConfigurationChange.Transition =
                switch command.arguments["transition"] {
                case "implicit": .implicit
                case "explicit": .explicit
                default: .auto
                }
            let change = ConfigurationChange(command.steps, transition: transition)
            cluster.step(id, .proposeConfiguration(change))
        case "leave": cluster.step(id, .proposeConfiguration(.leaveJoint))
        case "propose-bytes":
            let payload = [UInt8](repeating: UInt8(ascii: "x"), count: command.number(1))
            for _ in 0..<command.number(2, default: 1) { cluster.step(id, .propose([payload])) }
        default:
            let payloads = command.words.dropFirst().filter { $0 != "quiet" }.map { Array($0.utf8) }
            cluster.step(id, .propose(payloads))
        }
    }

    private func network(_ command: Command) {
        switch command.name {
        case "heal": cluster.cut = []
        case "cut":
            let (left, right) = (command.member(0), command.member(1))
            cluster.cut.formUnion([.init(from: left, to: right), .init(from: right, to: left)])
        default:
            let matches = matches(command)
            // From the back, so that the places before stay right; deliveries go in order, on copies.
            let chosen = matches.prefix(command.count).map { cluster.network[$0] }
            for message in chosen {
                guard let place = cluster.network.firstIndex(of: message) else { continue }
                switch command.name {
                case "deliver": cluster.deliver(at: place)
                case "duplicate": cluster.deliver(at: place, keeping: true)
                default: cluster.drop(at: place)
                }
            }
        }
    }

    /// Messages on links like `1->2`, `1->*` or `*->2`; all without one. `kind=append` chooses further.
    private func matches(_ command: Command) -> [Int] {
        let links = command.words.filter { $0.contains("->") }
        return cluster.network.indices.filter { place in
            let message = cluster.network[place]
            if let kind = command.arguments["kind"], !message.body.summary.hasPrefix(kind) { return false }
            if links.isEmpty { return true }
            return links.contains { link in
                let ends = link.split(separator: ">").map { $0.filter { $0 != "-" } }
                return (ends[0] == "*" || ends[0] == "\(message.from)")
                    && (ends[1] == "*" || ends[1] == "\(message.to)")
            }
        }
    }

    private func show(_ command: Command) -> String {
        switch command.name {
        case "network": return cluster.network.map(\.summary).joined(separator: "\n")
        case "state": return cluster.members.map(\.summary).joined(separator: "\n")
        case "log":
            let disk = cluster[command.member(0)].disk
            return "after \(disk.base) \(disk.entries.summary)"
        case "disk": return cluster[command.member(0)].diskSummary
        default:
            let status = cluster[command.member(0)].node?.status
            return status?.members.map(\.summary).joined(separator: "\n") ?? "down"
        }
    }
}

extension Member {
    var summary: String {
        guard let node else { return "\(id): down" }
        let leader = node.leader.map(String.init(describing:)) ?? "-"
        return "\(id): \(node.roleKind) term=\(node.term) leader=\(leader) last=\(node.lastEntry) "
            + "durable=\(node.durable) committed=\(node.committed) applied=\(node.applied) "
            + node.configuration.summary
    }

    var diskSummary: String {
        "term=\(disk.hardState.term) committed=\(disk.hardState.committed) last=\(disk.last) "
            + "checkpoint=\(disk.checkpoint.last) queued=\(writes.count)"
    }
}

extension RaftStatus.Member {
    var summary: String {
        "\(member): \(state) match=\(match) next=\(next)" + (isPaused ? " paused" : "")
            + (isActive ? "" : " inactive") + (inflight > 0 ? " inflight=\(inflight)" : "")
    }
}
