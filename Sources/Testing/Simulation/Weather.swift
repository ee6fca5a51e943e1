internal import StrakeRaft
internal import StrakeSeededGenerator

/// A fault, by name.
enum Fault: String, CaseIterable {
    case powerCut = "power cut"
    case powerCutEverywhere = "power cut of all members"
    case powerCutWhileWriting = "power cut in the middle of a write"
    case powerCutInCheckpoint = "power cut in the middle of a checkpoint"
    case powerCutWhileInstalling = "power cut in the middle of an installation"
    case processDies = "kill"
    case pause
    case isolate = "isolation of a member"
    case mute = "member that nobody hears"
    case deafen = "member that hears nobody"
    case cutOneWay = "link cut one way"
    case split = "partition"
    case slowDisk = "slow disk"
    case syncFails = "failed flush"
    case writeFails = "failed write"
    case fullDisk = "full disk"
    case damage = "damaged file"
    case clockStops = "clock that stands still"
    case clockJumps = "clock that jumps ahead"
    case suspend = "suspended machine"
    case badNetwork = "bad network"
    case damagedSnapshots = "damaged snapshots"
    case transfer = "leader transfer"
    case campaign = "needless election"
    case compaction
    case addVoter = "member added"
    case addLearner = "learner added"
    case promote = "learner promoted"
    case remove = "member removed"
    case replace = "member replaced"

    /// A fault that ends by itself.
    enum Lasting {
        case cut([(from: Int, to: Int)])
        case slowDisk(Int)
        case fullDisk(Int)
        case badNetwork
        case damagedSnapshots
    }
}

/// Which faults a seed has and how many. Each seed has some only: too many kinds at once hide each other.
struct Weather {
    /// Microseconds from one to the next, on average.
    let interval: Int64
    let kinds: [Fault]
    /// Faults that aim at the leader, of a hundred.
    let aimedAtLeader: Int

    init(using random: inout SeededGenerator) {
        interval = [120_000, 350_000, 900_000, 2_500_000][Int.random(in: 0..<4, using: &random)]
        let kept = Int.random(in: 2...Fault.allCases.count, using: &random)
        var kinds = Array(Fault.allCases.shuffled(using: &random).prefix(kept))
        // A member whose disk failed counts as lost until it is out of the cluster: no other may be taken out meanwhile.
        if kinds.contains(.damage) { kinds.removeAll { $0 == .remove || $0 == .replace } }
        self.kinds = kinds
        aimedAtLeader = Int.random(in: 20...80, using: &random)
    }
}
