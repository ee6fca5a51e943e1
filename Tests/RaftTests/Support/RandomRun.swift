internal import StrakeRaft
internal import StrakeRandom

/// A cluster at the mercy of one seed.
struct RandomRun {
    let cluster = Cluster()
    var random: SplitMix64
    private let weather: Weather
    private var payload: UInt8 = 0
    private var context: UInt64 = 0
    private let ids: [MemberID]

    init(seed: UInt64) {
        random = SplitMix64(seed: seed)
        weather = Weather(using: &random)
        let all = (1...5).map { MemberID(rawValue: $0) }
        let voterCount = [1, 3, 3, 3, 5][Int.random(in: 0..<5, using: &random)]
        var options = RaftOptions()
        options.preVote = Bool.random(using: &random)
        options.checkQuorum = Bool.random(using: &random)
        options.electionTicks = 4
        options.snapshotPauseTicksMax = 8
        options.messageBytesMax = Int.random(in: 40...300, using: &random)
        options.inflightMax = Int.random(in: 1...8, using: &random)
        options.cacheBytesMax = Int.random(in: 0...2_000, using: &random)
        options.applyBytesMax = Int.random(in: 40...600, using: &random)
        options.uncommittedBytesMax = Int.random(in: 200...2_000, using: &random)
        ids = all
        let base = SnapshotMetadata.bootstrap(voters: Array(all.prefix(voterCount)))
        for (place, id) in all.enumerated() {
            let seed = random.next()
            cluster.add(id, options: options, seed: seed, base: place < voterCount ? base : .joining)
        }
    }

    mutating func run(steps: Int) {
        for _ in 0..<steps { step() }
    }

    private mutating func step() {
        let id = anyone()
        switch Int.random(in: 0..<1_000, using: &random) {
        case 0..<480: deliver()
        case 480..<580: cluster.step(id, .tick)
        case 580..<740: cluster.persist(id, count: Int.random(in: 1...3, using: &random), acknowledging: !oneIn(4))
        case 740..<800: cluster.acknowledge(id)
        case 800..<870: cluster.apply(id)
        case 870..<900: cluster.serve(id, reporting: !oneIn(4))
        case 900..<940: propose(at: id)
        case 940..<955: read(at: id)
        case 955..<970: change(at: id)
        case 970..<973: cluster.step(id, .transferLeadership(to: anyone()))
        case 973..<976: cluster.step(id, .campaign)
        case 976..<978: cluster.step(id, .forgetLeader)
        case 978..<982: if oneIn(weather.crashOneIn) { crash(id) }
        case 982..<988: if cluster[id].node == nil { cluster.restart(id, seed: random.next()) }
        case 988..<993: cutOrHeal()
        case 993..<994: cluster.step(id, .unreachable(anyone()))
        default: compact(id)
        }
    }

    /// How bad it gets; one in so many.
    private struct Weather {
        var crashOneIn: Int
        var dropOneIn: Int
        var repeatOneIn: Int
        var overtakeOneIn: Int
        var cutOneIn: Int

        init(using random: inout SplitMix64) {
            func choose(_ values: [Int], _ random: inout SplitMix64) -> Int {
                values[Int.random(in: 0..<values.count, using: &random)]
            }
            crashOneIn = choose([1, 2, 4, 20], &random)
            dropOneIn = choose([4, 10, 40, 200], &random)
            repeatOneIn = choose([3, 10, 100], &random)
            overtakeOneIn = choose([1, 4, 20], &random)
            cutOneIn = choose([2, 4, 20], &random)
        }
    }

    private mutating func anyone() -> MemberID { ids[Int.random(in: 0..<ids.count, using: &random)] }
    private mutating func oneIn(_ count: Int) -> Bool { Int.random(in: 0..<count, using: &random) == 0 }

    private mutating func deliver() {
        guard !cluster.network.isEmpty else { return }
        // Mostly in order, or nothing would ever get through.
        let reach = oneIn(weather.overtakeOneIn) ? cluster.network.count : min(3, cluster.network.count)
        let place = Int.random(in: 0..<reach, using: &random)
        if oneIn(weather.dropOneIn) {
            cluster.drop(at: place)
        } else {
            cluster.deliver(at: place, keeping: oneIn(weather.repeatOneIn))
        }
        // A network that remembers everything would only slow the run.
        while cluster.network.count > 200 { cluster.drop(at: 0) }
    }

    private mutating func propose(at id: MemberID) {
        let count = Int.random(in: 1...4, using: &random)
        var commands: [[UInt8]] = []
        for _ in 0..<count {
            payload &+= 1
            let length = Int.random(in: 1...40, using: &random)
            commands.append([payload] + [UInt8](repeating: UInt8(truncatingIfNeeded: random.next()), count: length))
        }
        cluster.step(id, .propose(commands))
    }

    private mutating func read(at id: MemberID) {
        context += 1
        cluster.checker.asked(context)
        cluster.step(id, .readIndex(context: context))
    }

    private mutating func change(at id: MemberID) {
        if oneIn(3) { return cluster.step(id, .proposeConfiguration(.leaveJoint)) }
        let count = oneIn(2) ? 1 : Int.random(in: 1...3, using: &random)
        var steps: [ConfigurationChange.Step] = []
        for _ in 0..<count {
            let member = anyone()
            switch Int.random(in: 0..<5, using: &random) {
            case 0...1: steps.append(.addVoter(member))
            case 2: steps.append(.addLearner(member))
            case 3: steps.append(.remove(member))
            default: steps.append(.update(member))
            }
        }
        let transition = ConfigurationChange.Transition(rawValue: .random(in: 0...2, using: &random)) ?? .auto
        cluster.step(id, .proposeConfiguration(ConfigurationChange(steps, transition: oneIn(2) ? .auto : transition)))
    }

    private mutating func crash(_ id: MemberID) {
        guard cluster[id].node != nil else { return }
        cluster.crash(id, keeping: Int.random(in: 0...2, using: &random))
    }

    private mutating func cutOrHeal() {
        if !oneIn(weather.cutOneIn) || cluster.cut.count > 8 {
            cluster.cut = []
        } else {
            cluster.cut.insert(.init(from: anyone(), to: anyone()))
        }
    }

    private mutating func compact(_ id: MemberID) {
        let member = cluster[id]
        guard let node = member.node, node.applied == member.state.last.index else { return }
        let low = member.disk.base.index.rawValue
        guard node.applied.rawValue > low, member.writes.isEmpty else { return }
        let index = LogIndex(rawValue: .random(in: low...node.applied.rawValue, using: &random))
        cluster.compact(id, through: index)
    }
}

extension RandomRun {
    /// Everybody is back and all messages arrive: soon there is a leader, and what it commits everybody gets. Nil if so,
    /// else what is wrong.
    mutating func heal() -> String? {
        cluster.cut = []
        for id in ids where cluster[id].node == nil { cluster.restart(id, seed: random.next()) }
        for _ in 0..<400 {
            for id in ids { cluster.step(id, .tick) }
            for _ in 0..<50 {
                for id in ids { cluster.work(id) }
                guard !cluster.network.isEmpty else { break }
                for _ in 0..<cluster.network.count { cluster.deliver(at: 0) }
            }
            if isSettled() { return proposeLast() }
        }
        return describe("no rest")
    }

    private var leaders: [RaftNode] { cluster.members.compactMap(\.node).filter(\.isLeader) }

    private func isSettled() -> Bool {
        // One that is handing over takes nothing until it has, or has given that up.
        guard let leader = leaders.max(by: { $0.term < $1.term }), leader.committed == leader.lastEntry.index,
            leader.status.transferee == nil
        else { return false }
        return leader.configuration.members.allSatisfy { member in
            let node = cluster[member].node
            return node?.applied == leader.committed && node?.leader == leader.id
        }
    }

    private mutating func proposeLast() -> String? {
        guard let leader = leaders.max(by: { $0.term < $1.term }) else { return "no leader" }
        cluster.step(leader.id, .propose([[1, 2, 3]]))
        read(at: leader.id)
        cluster.stabilize()
        let last = cluster[leader.id].state
        for member in leader.configuration.members where cluster[member].state != last {
            // The last commit index comes with the next heartbeat.
            cluster.step(leader.id, .tick)
            cluster.stabilize()
            if cluster[member].state != last { return "\(member) did not get the last command" }
        }
        guard last.last.index > leader.committed else { return describe("the last command is not committed") }
        // A round of heartbeats that was lost on its way is begun again with a tick.
        cluster.step(leader.id, .tick)
        cluster.stabilize()
        let answer = cluster.answers.last { $0.context == context }
        return answer?.index == nil ? describe("the last read failed") : nil
    }

    private func describe(_ problem: String) -> String {
        problem + ": " + cluster.members.map(\.summary).joined(separator: "; ")
    }
}
