internal import StrakeRaft
internal import StrakeSeededGenerator

/// What everything in one simulation shares: the time, what is yet to happen, and who watches. One thread has it all.
final class World {
    /// Microseconds since the simulation began.
    var now: Int64 = 0
    var queue = EventQueue()
    var trace: Trace
    let referee = Referee()
    let raftChecker: RaftChecker
    let storeChecker: StoreChecker
    let leaseChecker: LeaseChecker
    let plan: Plan
    var network: SimulatedNetwork
    /// Microseconds and the like that the members' disks and state machines take.
    var random: SeededGenerator
    var faults = Tally()
    var deeds = Tally()
    /// By number, from 1; set once.
    var members: [SimulatedMember] = []
    /// The members of the newest configuration that any of them has applied.
    var roster: [Int]
    /// Those of them that vote.
    var voters: [Int]
    var rosterIndex = LogIndex.zero
    /// The member of whose files some bytes may be spoilt.
    var damaged: Int?
    /// The next member that installs a snapshot loses its power while it does.
    var cutsNextInstallation = false
    /// Of a thousand pieces of snapshots.
    var damagedPieces = 0
    /// Snapshots some bytes of which were spoilt on their way. Looked up, never walked.
    var damagedTransfers: Set<UInt64> = []
    private var moments: Int64 = 0
    private var requests: UInt64 = 0

    init(plan: Plan, sink: ((String) -> Void)?) {
        self.plan = plan
        roster = Array(1...plan.members)
        voters = roster
        trace = Trace(sink: sink)
        raftChecker = RaftChecker(referee: referee)
        storeChecker = StoreChecker(referee: referee)
        leaseChecker = LeaseChecker(referee: referee, drift: plan.drift)
        var seeds = SeededGenerator(seed: plan.seed ^ 0x776F_726C_64)
        network = SimulatedNetwork(seed: seeds.next(), members: Plan.membersMax)
        random = SeededGenerator(seed: seeds.next())
    }

    func schedule(_ happening: Happening, after delay: Int64) {
        queue.add(happening, at: now + delay)
    }

    /// A number that is higher with each call: what clients note as the time, so that no two things are at the same.
    func moment() -> Int64 {
        moments += 1
        return moments
    }

    func nextRequest() -> UInt64 {
        requests += 1
        return requests
    }

    func note(_ member: Int, _ kind: Trace.Kind, _ words: UInt64..., text: @autoclosure () -> String = "") {
        // One word is enough to tell them apart, and costs one call.
        var mixed: UInt64 = 0
        for word in words { mixed = mixed &* 0x9E37_79B9_7F4A_7C15 &+ word }
        trace.note(now, member, kind, mixed, text: text())
    }

    func member(_ number: Int) -> SimulatedMember { members[number - 1] }

    func random(_ range: ClosedRange<Int64>) -> Int64 { Int64.random(in: range, using: &random) }

    func anyMember(_ random: inout SeededGenerator) -> Int {
        roster[Int.random(in: roster.indices, using: &random)]
    }

    func send(_ message: Message) {
        let (from, to) = (Int(message.from.rawValue), Int(message.to.rawValue))
        note(from, .send, message.term.rawValue, UInt64(to), text: "to m\(to): \(message.brief)")
        let arrivals = network.arrivals(from: from, to: to)
        if arrivals.isEmpty {
            note(from, .lose, UInt64(to), text: "what m\(from) sent to m\(to)")
            // A transport notices a lost connection sooner or later, and not with each message.
            if random(0...7) == 0 {
                schedule(.member(from, life: member(from).life, .unreachable(to)), after: random(1_000...300_000))
            }
        }
        for delay in arrivals { schedule(.message(message), after: delay) }
    }

    /// To a client, over a connection that takes a moment.
    func answer(_ answer: ClientAnswer) {
        schedule(.answer(answer), after: network.clientDelay())
    }
}
