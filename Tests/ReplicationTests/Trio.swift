import StrakeModel
import StrakeRaft
import StrakeReplication

/// Three replicas, or some more, whose disks, state machines and network the test plays: everything at once and in order,
/// unless a member is cut off.
struct Trio {
    var replicas: [Replica] = []
    var outputs: [ReplicaOutput]
    var cutOff: Set<Int> = []
    /// What each member's disk holds, of a log of which nothing was ever overwritten.
    private var disks: [(state: HardState, entries: [Entry])]
    /// What each member applied, and who waited for it there.
    var applied: [[(entry: Entry, origin: RequestOrigin?)]]
    /// Messages that were sent, by what they are.
    var sent: [Message] = []
    /// Messages of these are lost on the way.
    var isLost: (Message) -> Bool = { _ in false }

    init(_ count: Int = 3, requestTicks: UInt64 = 100, options: RaftOptions = RaftOptions()) {
        outputs = [ReplicaOutput](repeating: ReplicaOutput(), count: count)
        applied = [[(entry: Entry, origin: RequestOrigin?)]](repeating: [], count: count)
        disks = [(state: HardState, entries: [Entry])](repeating: (HardState(), []), count: count)
        let members = (1...UInt64(count)).map { MemberID(rawValue: $0) }
        let base = SnapshotMetadata.bootstrap(voters: members)
        replicas = members.map { member in
            let node = RaftNode(
                id: member, options: options, seed: member.rawValue, hardState: HardState(), base: base,
                log: RaftLog(after: base.last, cacheBytesMax: options.cacheBytesMax))
            return Replica(node: node, requestTicks: requestTicks)
        }
    }

    /// Another run of a member, which has applied nothing yet.
    mutating func restart(_ index: Int, requestTicks: UInt64 = 100) {
        let old = replicas[index].node
        let base = SnapshotMetadata.bootstrap(voters: replicas.map(\.node.id))
        var log = RaftLog(after: base.last, cacheBytesMax: old.options.cacheBytesMax)
        for entry in disks[index].entries { log.append(entry) }
        let node = RaftNode(
            id: old.id, options: old.options, seed: old.id.rawValue + 100, hardState: disks[index].state, base: base,
            log: log)
        replicas[index] = Replica(node: node, requestTicks: requestTicks)
        outputs[index] = ReplicaOutput()
    }

    /// Works until nothing is left to do.
    mutating func settle() {
        var isBusy = true
        while isBusy {
            isBusy = false
            for index in replicas.indices { isBusy = work(index) || isBusy }
        }
    }

    private mutating func work(_ index: Int) -> Bool {
        let (writes, applies, messages) = (outputs[index].writes, outputs[index].applies, outputs[index].messages)
        outputs[index].writes = []
        outputs[index].applies = []
        outputs[index].messages = []
        for case .write(let write) in writes {
            disks[index].state = write.hardState ?? disks[index].state
            disks[index].entries += write.entries
            replicas[index].step(.persisted(write: write.number), into: &outputs[index])
        }
        for batch in applies {
            applied[index] += zip(batch.entries, batch.origins).map { ($0, $1) }
            replicas[index].applied(through: batch.entries.last!.index, into: &outputs[index])
        }
        for message in messages {
            sent.append(message)
            let target = Int(message.to.rawValue) - 1
            if cutOff.contains(index) || cutOff.contains(target) || isLost(message) { continue }
            replicas[target].step(.receive(message), into: &outputs[target])
        }
        return !writes.isEmpty || !applies.isEmpty || !messages.isEmpty
    }

    mutating func lead(_ index: Int) {
        replicas[index].step(.campaign, into: &outputs[index])
        settle()
        for other in outputs.indices { outputs[other].removeAll() }
    }

    mutating func handOver(from index: Int, to other: Int) {
        let member = MemberID(rawValue: UInt64(other) + 1)
        replicas[index].step(.transferLeadership(to: member), into: &outputs[index])
        settle()
        for index in outputs.indices { outputs[index].removeAll() }
    }

    mutating func tick(_ count: Int = 1) {
        for _ in 0..<count {
            for index in replicas.indices { replicas[index].tick(into: &outputs[index]) }
            settle()
        }
    }

    static func command(_ name: UInt64) -> [UInt8] {
        Command.compact(revision: 0, physical: false).encoded(ProposalID(rawValue: name))
    }

    static func origin(_ token: UInt64) -> RequestOrigin { RequestOrigin(target: 0, token: token) }

    mutating func propose(_ name: UInt64, at index: Int) {
        replicas[index].propose([(Self.command(name), Self.origin(name))], into: &outputs[index])
    }

    /// Tokens that heard from the state machine of a member.
    func answered(at index: Int) -> [UInt64] { applied[index].compactMap { $0.origin?.token } }

    func count(_ kind: (Message.Body) -> Bool) -> Int { sent.count { kind($0.body) } }
}
