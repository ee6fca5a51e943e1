internal import StrakeRaft

/// One member of the test cluster: its node, its disk, and what it has been told to do and has not done.
struct Member {
    enum QueuedWrite {
        case persist(Write)
        case restore(AppliedState, write: UInt64)

        var number: UInt64 {
            switch self {
            case .persist(let write): write.number
            case .restore(_, let write): write
            }
        }
    }

    let id: MemberID
    let options: RaftOptions
    /// Nil while crashed.
    var node: RaftNode?
    var disk: Disk
    var state: AppliedState
    var writes: [QueuedWrite] = []
    /// On the disk, but the node has not been told.
    var unacknowledged: UInt64 = 0
    var apply: [Entry]?
    private(set) var restores = 0
    private(set) var crashes = 0
    var logReads: [LogRead] = []
    var snapshotsAsked: [MemberID] = []
    /// Snapshots on the way here.
    var arriving: [Arrival] = []
    var staged: [EntryID: AppliedState] = [:]

    struct Arrival {
        var sender: MemberID
        var state: AppliedState
    }

    var hasRequests: Bool { !logReads.isEmpty || !snapshotsAsked.isEmpty || !arriving.isEmpty }

    init(id: MemberID, options: RaftOptions, seed: UInt64, base: SnapshotMetadata) {
        self.id = id
        self.options = options
        disk = Disk(base)
        state = AppliedState(base)
        node = disk.node(id: id, options: options, seed: seed)
    }

    /// Carries out the first queued write; `.persisted` is still owed.
    mutating func write() {
        let next = writes.removeFirst()
        switch next {
        case .persist(let write): disk.write(write)
        case .restore(let snapshot, _):
            precondition(apply == nil, "restore while an apply is out")
            disk.restore(snapshot)
            state = snapshot
            restores += 1
        }
        unacknowledged = next.number
    }

    /// Loses everything that is not on the disk. The first writes that were asked for may be on it; each of them is there
    /// whole or not at all.
    mutating func crash(keeping count: Int) {
        for next in writes.prefix(count) {
            guard case .persist(let write) = next else { break }
            disk.write(write)
        }
        node = nil
        crashes += 1
        writes = []
        unacknowledged = 0
        apply = nil
        logReads = []
        snapshotsAsked = []
        arriving = []
        staged = [:]
        state = disk.checkpoint
    }

    mutating func restart(seed: UInt64) {
        node = disk.node(id: id, options: options, seed: seed)
    }
}
