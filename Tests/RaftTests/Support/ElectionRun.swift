internal import StrakeRaft
internal import StrakeRandom

/// The death of a leader, on a network that loses nothing: each member ticks at times of its own, messages take a while
/// and arrive in order on each way, and disks take a while too.
struct ElectionRun {
    /// In microseconds, like all times here.
    struct Surroundings {
        var voters: Int
        var message: ClosedRange<Int64>
        var flush: ClosedRange<Int64>
        static let tick: Int64 = 100_000
    }

    struct Outcome {
        /// Terms that it took until one of the others led: more than one when an election ended without a leader.
        var rounds: UInt64
        var microseconds: Int64
    }

    private enum Happening {
        case tick
        case arrived(Message)
        case persisted(write: UInt64)
    }

    private struct Event {
        var time: Int64
        /// Tells apart what happens at one time, so that it happens in order.
        var number: UInt64
        var member: Int
        var happening: Happening
    }

    private struct Way: Hashable {
        var from: MemberID
        var to: MemberID
    }

    private let surroundings: Surroundings
    private var random: SplitMix64
    /// Nil: dead.
    private var nodes: [RaftNode?] = []
    /// The latest first.
    private var events: [Event] = []
    private var eventCount: UInt64 = 0
    private var now: Int64 = 0
    /// When what was last sent or written arrives, or is durable: nothing overtakes it.
    private var ways: [Way: Int64] = [:]
    private var disks: [Int64]

    init(seed: UInt64, _ surroundings: Surroundings) {
        self.surroundings = surroundings
        random = SplitMix64(seed: seed)
        disks = Array(repeating: 0, count: surroundings.voters)
        let base = SnapshotMetadata.bootstrap(voters: (1...surroundings.voters).map { MemberID(rawValue: UInt64($0)) })
        for member in base.configuration.voters {
            nodes.append(
                RaftNode(
                    id: member, seed: random.next(), hardState: HardState(), base: base, log: RaftLog(after: base.last))
            )
            add(.tick, at: .random(in: 0..<Surroundings.tick, using: &random), to: Int(member.rawValue) - 1)
        }
    }

    /// Nil when nobody leads within a minute.
    mutating func killLeader() -> Outcome? {
        guard let first = runUntilLed() else { return nil }
        run(until: now + .random(in: 0..<3 * Surroundings.tick, using: &random))
        guard let old = nodes[first] else { return nil }
        nodes[first] = nil
        let died = now
        guard let place = runUntilLed(), let new = nodes[place] else { return nil }
        return Outcome(rounds: new.term.rawValue - old.term.rawValue, microseconds: now - died)
    }

    private mutating func runUntilLed() -> Int? {
        let end = now + 600 * Surroundings.tick
        while now < end, let event = events.popLast() {
            happen(event)
            if let leader = nodes.firstIndex(where: { $0?.isLeader == true }) { return leader }
        }
        return nil
    }

    private mutating func run(until end: Int64) {
        while let event = events.last, event.time <= end {
            events.removeLast()
            happen(event)
        }
        now = end
    }

    private mutating func happen(_ event: Event) {
        now = event.time
        switch event.happening {
        case .tick:
            add(.tick, at: now + Surroundings.tick, to: event.member)
            step(event.member, .tick)
        case .arrived(let message): step(event.member, .receive(message))
        case .persisted(let write): step(event.member, .persisted(write: write))
        }
    }

    private mutating func step(_ member: Int, _ input: RaftNode.Input) {
        var effects: [RaftNode.Effect] = []
        nodes[member]?.step(input, into: &effects)
        nodes[member]?.checkInvariants()
        for effect in effects {
            switch effect {
            case .send(let message): send(message)
            case .persist(let write):
                disks[member] = max(disks[member], now) + .random(in: surroundings.flush, using: &random)
                add(.persisted(write: write.number), at: disks[member], to: member)
            case .apply(let entries):
                if let last = entries.last { step(member, .applied(through: last.index)) }
            case .restore, .readLog, .prepareSnapshot, .acceptSnapshot, .discardSnapshot, .proposed, .proposalForwarded,
                .forwardedRefused, .proposalRefused, .readReady, .readFailed, .leadershipChanged, .configurationChanged:
                break
            }
        }
    }

    private mutating func send(_ message: Message) {
        let way = Way(from: message.from, to: message.to)
        let arrival = max(ways[way] ?? 0, now + .random(in: surroundings.message, using: &random))
        ways[way] = arrival
        add(.arrived(message), at: arrival, to: Int(message.to.rawValue) - 1)
    }

    private mutating func add(_ happening: Happening, at time: Int64, to member: Int) {
        eventCount += 1
        let event = Event(time: time, number: eventCount, member: member, happening: happening)
        let place = events.firstIndex { ($0.time, $0.number) < (time, eventCount) } ?? events.endIndex
        events.insert(event, at: place)
    }
}
