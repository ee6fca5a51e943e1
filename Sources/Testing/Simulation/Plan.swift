internal import StrakeRaft
internal import StrakeSeededGenerator

/// What one seed decides before anything happens: how large the cluster is, how its clocks run, which faults there are.
struct Plan {
    /// Members that there may be in all, those that join later and those that leave included.
    static let membersMax = 12

    let seed: UInt64
    let flaw: Flaw?
    let members: Int
    let clients: Int
    let keys: Int
    /// Microseconds of faults; then everything is healed.
    let stormMicroseconds: Int64
    /// Microseconds between ticks of a clock that runs right.
    let tickMicroseconds: Int64 = 100_000
    let electionTicks = 10
    /// Each member's clock runs at this rate.
    let clockRates: [Double]
    /// No clock is further off than this part.
    let drift = 0.02
    let raft: RaftOptions
    let segmentBytes: Int
    let strictReconfiguration: Bool
    let weather: Weather
    /// Microseconds between checkpoints.
    let checkpointMicroseconds: Int64
    /// Microseconds of a write with its flush, at most.
    let diskMicroseconds: Int64
    /// Entries that a member keeps in its log though its store has them.
    let retainedEntries: UInt64
    /// Bytes of log that a leader keeps for members that are behind.
    let laggardLogBytesMax: Int
    /// Bytes of a snapshot that travel together, at most.
    let pieceBytes: Int
    private let memberSeed: UInt64
    let clientSeed: UInt64
    let weatherSeed: UInt64

    init(seed: UInt64, flaw: Flaw?) {
        var random = SeededGenerator(seed: seed)
        self.seed = seed
        self.flaw = flaw
        members = [3, 3, 3, 5][Int.random(in: 0..<4, using: &random)]
        clients = Int.random(in: 3...6, using: &random)
        keys = Int.random(in: 2...5, using: &random)
        stormMicroseconds = Int64.random(in: 15_000_000...30_000_000, using: &random)
        let drift = drift
        clockRates = (0...Self.membersMax).map { _ in 1 + Double.random(in: -drift...drift, using: &random) }
        var options = RaftOptions()
        options.electionTicks = electionTicks
        options.heartbeatTicks = 1
        options.preVote = Int.random(in: 0..<4, using: &random) != 0
        options.diskStallTicks = [nil, 3, electionTicks][Int.random(in: 0..<3, using: &random)]
        options.forwardProposals = Int.random(in: 0..<4, using: &random) != 0
        // Small bounds, so that they are reached.
        options.messageBytesMax = [100, 300, 1_000, 4_000][Int.random(in: 0..<4, using: &random)]
        options.inflightMax = Int.random(in: 2...64, using: &random)
        options.cacheBytesMax = Int.random(in: 0...20_000, using: &random)
        options.applyBytesMax = Int.random(in: 200...4_000, using: &random)
        options.flaws = flaw?.raft ?? []
        raft = options
        segmentBytes = 1 << Int.random(in: 12...15, using: &random)
        checkpointMicroseconds = Int64.random(in: 100_000...1_500_000, using: &random)
        diskMicroseconds = [1_000, 5_000, 30_000][Int.random(in: 0..<3, using: &random)]
        // Without forwarding a follower cannot tell its name, and members without one count as never started.
        strictReconfiguration = Int.random(in: 0..<4, using: &random) != 0 && options.forwardProposals
        weather = Weather(using: &random)
        retainedEntries = [0, 5, 40, 1_000][Int.random(in: 0..<4, using: &random)]
        laggardLogBytesMax = [0, 30_000, 1 << 30][Int.random(in: 0..<3, using: &random)]
        pieceBytes = [100, 1_000, 10_000][Int.random(in: 0..<3, using: &random)]
        memberSeed = random.next()
        clientSeed = random.next()
        weatherSeed = random.next()
    }

    func seed(of member: Int) -> UInt64 {
        var random = SeededGenerator(seed: memberSeed &+ UInt64(member))
        return random.next()
    }
}
