internal import StrakeRaft

/// Several members and the messages between them. Nothing happens by itself: each delivery, write and apply is a call,
/// so a test has every order in its hand.
final class Cluster {
    private(set) var members: [Member] = []
    /// Sent and not delivered, oldest first.
    var network: [Message] = []
    /// Pairs that cannot speak.
    var cut: Set<Link> = []
    var checker = Checker()
    /// What happened, if somebody wants to know.
    var trace: [String] = []
    var isTracing = false
    private(set) var answers: [ReadAnswer] = []

    struct Link: Hashable {
        var from: MemberID
        var to: MemberID
    }

    struct ReadAnswer: Hashable {
        var member: MemberID
        var context: UInt64
        var index: LogIndex?
    }

    func add(_ id: MemberID, options: RaftOptions, seed: UInt64, base: SnapshotMetadata) {
        members.append(Member(id: id, options: options, seed: seed, base: base))
        members.sort { $0.id < $1.id }
        checker.began(base)
    }

    func place(_ id: MemberID) -> Int {
        guard let place = members.firstIndex(where: { $0.id == id }) else { fatalError("no member \(id)") }
        return place
    }

    subscript(_ id: MemberID) -> Member {
        get { members[place(id)] }
        set { members[place(id)] = newValue }
    }

    subscript(_ id: UInt64) -> RaftNode {
        guard let node = self[MemberID(rawValue: id)].node else { fatalError("\(id) is down") }
        return node
    }

    // MARK: Steps

    func step(_ id: MemberID, _ input: RaftNode.Input) {
        let place = place(id)
        guard members[place].node != nil else { return }
        var effects: [RaftNode.Effect] = []
        members[place].node?.step(input, into: &effects)
        for effect in effects {
            note("\(id)> \(effect.summary)")
            carryOut(effect, at: place)
        }
        members[place].node?.checkInvariants()
        if let node = members[place].node { checker.check(node, effects) }
    }

    private func carryOut(_ effect: RaftNode.Effect, at place: Int) {
        let id = members[place].id
        switch effect {
        case .send(let message): network.append(message)
        case .persist(let write): members[place].writes.append(.persist(write))
        case .restore(let snapshot, let write):
            guard let state = members[place].staged[snapshot.last] else { fatalError("\(snapshot.last) is not staged") }
            members[place].writes.append(.restore(state, write: write))
            members[place].staged = [:]
        case .apply(let entries):
            precondition(members[place].apply == nil, "two applies out")
            members[place].apply = entries
        case .readLog(let read): members[place].logReads.append(read)
        case .prepareSnapshot(let member): members[place].snapshotsAsked.append(member)
        case .acceptSnapshot(let sender, let snapshot): transfer(snapshot, from: sender, to: place)
        case .discardSnapshot(let snapshot): members[place].staged[snapshot.last] = nil
        case .readReady(let context, let index):
            answers.append(ReadAnswer(member: id, context: context, index: index))
            checker.answered(context, index: index)
        case .readFailed(let context, _): answers.append(ReadAnswer(member: id, context: context, index: nil))
        case .proposed, .proposalForwarded, .forwardedRefused, .proposalRefused, .leadershipChanged,
            .configurationChanged:
            break
        }
    }

    /// Snapshots that came over, unknown to who sent them.
    private var owedReports: [(sender: MemberID, member: MemberID)] = []
    private var pinned: [EntryID: AppliedState] = [:]
    private func transfer(_ snapshot: SnapshotMetadata, from sender: MemberID, to place: Int) {
        guard let state = pinned[snapshot.last] else { fatalError("\(snapshot.last) was never prepared") }
        members[place].arriving.append(Member.Arrival(sender: sender, state: state))
    }

    /// Delivers the message at that place of the queue.
    func deliver(at place: Int, keeping: Bool = false) {
        let message = keeping ? network[place] : network.remove(at: place)
        guard isReachable(message) else { return lose(message) }
        let arriving = self[message.to].arriving.count
        step(message.to, .receive(message))
        // A stream that is refused has done what it could.
        if case .snapshot = message.body, self[message.to].arriving.count == arriving {
            step(message.from, .snapshotReport(message.to, .delivered))
        }
    }

    func drop(at place: Int) { lose(network.remove(at: place)) }

    func isReachable(_ message: Message) -> Bool {
        guard let target = members.first(where: { $0.id == message.to }) else { return false }
        return target.node != nil && !cut.contains(Link(from: message.from, to: message.to))
    }

    /// A transport notices when a stream breaks, and nothing else.
    private func lose(_ message: Message) {
        if case .snapshot = message.body { step(message.from, .snapshotReport(message.to, .failed)) }
    }

    /// Carries out the first queued writes, and tells the node of the newest.
    func persist(_ id: MemberID, count: Int = .max, acknowledging: Bool = true) {
        let place = place(id)
        for _ in 0..<min(count, members[place].writes.count) { members[place].write() }
        if acknowledging { acknowledge(id) }
    }

    func acknowledge(_ id: MemberID) {
        let place = place(id)
        let write = members[place].unacknowledged
        guard write > 0 else { return }
        members[place].unacknowledged = 0
        step(id, .persisted(write: write))
    }

    func apply(_ id: MemberID) {
        let place = place(id)
        guard let entries = members[place].apply else { return }
        members[place].apply = nil
        for entry in entries {
            checker.applied(entry)
            members[place].state.apply(entry)
        }
        checker.reached(members[place].state)
        step(id, .applied(through: members[place].state.last.index))
    }

    /// Answers reads of the log, and snapshots asked for, and ends their transfers.
    func serve(_ id: MemberID, reporting: Bool = true) {
        let place = place(id)
        let reads = members[place].logReads
        members[place].logReads = []
        for read in reads { step(id, .logRead(read, entries: members[place].disk.read(read))) }
        let asked = members[place].snapshotsAsked
        members[place].snapshotsAsked = []
        for member in asked {
            let state = members[place].state
            pinned[state.last] = state
            step(id, .snapshotPrepared(for: member, state.snapshot))
        }
        let arriving = members[place].arriving
        members[place].arriving = []
        for arrival in arriving {
            members[place].staged[arrival.state.last] = arrival.state
            step(id, .snapshotReceived(arrival.state.snapshot))
            owedReports.append((arrival.sender, id))
        }
        guard reporting else { return }
        for report in owedReports { step(report.sender, .snapshotReport(report.member, .delivered)) }
        owedReports = []
    }

    /// Makes the applied state durable and deletes the log through `index`.
    func compact(_ id: MemberID, through index: LogIndex) {
        let place = place(id)
        members[place].disk.checkpoint = members[place].state
        step(id, .compacted(through: index))
        members[place].disk.compact(through: index)
    }

    func crash(_ id: MemberID, keeping writes: Int = 0) {
        let place = place(id)
        let broken = members[place].arriving
        members[place].crash(keeping: writes)
        checker.crashed(id)
        for arrival in broken { step(arrival.sender, .snapshotReport(id, .failed)) }
    }

    func restart(_ id: MemberID, seed: UInt64) {
        members[place(id)].restart(seed: seed)
        members[place(id)].node?.checkInvariants()
    }

    /// Everything that is not a message, until nothing is left to do. False: there was nothing.
    @discardableResult
    func work(_ id: MemberID) -> Bool {
        var didWork = false
        while true {
            let member = self[id]
            guard member.node != nil else { return didWork }
            if !owedReports.isEmpty { serve(id) }
            if !member.writes.isEmpty || member.unacknowledged > 0 {
                persist(id)
            } else if member.apply != nil {
                apply(id)
            } else if member.hasRequests {
                serve(id)
            } else {
                return didWork
            }
            didWork = true
        }
    }

    /// Delivers, writes and applies until all is quiet.
    func stabilize(_ only: [MemberID]? = nil, roundsMax: Int = 1_000) {
        let ids = only ?? members.map(\.id)
        for _ in 0..<roundsMax {
            var didWork = false
            for id in ids where work(id) { didWork = true }
            while let place = network.firstIndex(where: { ids.contains($0.to) && ids.contains($0.from) }) {
                deliver(at: place)
                didWork = true
            }
            if !didWork { return }
        }
        fatalError("the cluster does not come to rest")
    }

    func note(_ line: @autoclosure () -> String) {
        if isTracing { trace.append(line()) }
    }

    func takeTrace() -> String {
        defer { trace = [] }
        return trace.joined(separator: "\n")
    }
}
