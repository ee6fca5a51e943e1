internal import StrakeLeases
internal import StrakeLog
internal import StrakeMVCC
internal import StrakeModel
internal import StrakeRaft
internal import StrakeReplication
internal import StrakeStateMachine
internal import StrakeStore

/// One life of a member: what the server's `Store` is, on simulated time, disk and network, and without threads.
///
/// The parts are the server's: `Replica`, `DurableLog`, `StateMachine`, `LeaseClock`, `WatchHub`. What the server's
/// threads do between them is done here one thing after the other, in the order that the event queue gives.
final class RunningMember {
    let owner: SimulatedMember
    let world: World
    let life: Int

    var replica: Replica
    private var output = ReplicaOutput()
    var machine: StateMachine
    let reader: Reader
    let compactor: Compactor
    var leases: LeaseClock
    let log: DurableLog
    private let directory: DataDirectory
    var watches: WatchDesk

    var diskChecker: DiskChecker
    // The disk's queue, and what it is at.
    var diskQueue: [DiskWork] = []
    var diskBatch: [DiskWork] = []
    // The state machine's queue. Invariant: something is being applied as long as it is not empty.
    var applyQueue: [ApplyBatch] = []
    let snapshots: SnapshotDesk
    let inbox = SnapshotInbox()
    /// Snapshots on their way to others, by member, and the one from another.
    var sending: [Int: (number: UInt64, source: OutgoingStream)] = [:]
    var receiving: (number: UInt64, sink: IncomingStream)?
    var checkpoint: (work: CheckpointWork, snapshot: SnapshotMetadata)?
    var compactionIsDue = true
    /// Of the store, under way.
    var audit: StoreAudit?
    /// Requests that wait for a read index, by their number. Looked up, never walked.
    var reads: [UInt64: ClientRequest] = [:]
    /// Renewals on their way through the log, and expiries, by the numbers of their requests.
    var renewals: [UInt64: (request: ClientRequest, renewal: LeaseRenewal)] = [:]
    var expiries: [UInt64: [LeaseID]] = [:]
    /// The number of the request that tells the cluster this member's name.
    var publishing: UInt64?
    var hasJoined = false
    var departure: Departure
    /// The term in which this member last began to lead.
    var leadingTerm = Term.zero
    /// It crashed while it did something; what it still had in hand comes to nothing.
    var isOver: Bool { owner.running !== self && hasBegun }
    private var hasBegun = false

    init(of owner: SimulatedMember, world: World) throws(StartFailure) {
        self.owner = owner
        self.world = world
        life = owner.life
        let parts = try MemberParts.open(owner, plan: world.plan)
        log = parts.log
        directory = parts.directory
        snapshots = SnapshotDesk(parts.directories)
        diskChecker = DiskChecker(opened: parts.log, committed: parts.replica.node.committed)
        replica = parts.replica
        leases = parts.leases
        reader = parts.reader
        var compactor = parts.compactor
        compactor.dropsTombstonesAtTarget = world.plan.flaw == .dropTombstoneAtCompaction
        self.compactor = compactor
        watches = WatchDesk(reader: parts.reader)
        departure = Departure(
            electionMilliseconds: Int64(world.plan.electionTicks) * world.plan.tickMicroseconds / 1_000)
        machine = parts.takeMachine()
        plan(.tick, after: world.random(0...world.plan.tickMicroseconds))
        plan(.checkpointDue, after: world.random(0...world.plan.checkpointMicroseconds))
        plan(.scrubDue, after: world.random(0...1_000_000))
    }

    /// Committed entries above the last checkpoint are there to be applied. Nearly an election timeout has passed for a
    /// member that starts (`Store.hastenElection`).
    func begin() {
        hasBegun = true
        membersChanged()
        step { replica, output in
            for _ in 0..<max(0, world.plan.electionTicks - 2) { replica.tick(into: &output) }
        }
    }

    var number: Int { owner.number }
    var leaseCount: Int { machine.lessor.all.count }

    /// To this life: after a crash it does not happen.
    func plan(_ happening: MemberHappening, after delay: Int64) {
        world.schedule(.member(number, life: life, happening), after: delay)
    }

    /// Does what its time has come for.
    func happen(_ happening: MemberHappening) {
        switch happening {
        case .tick: tick()
        case .unreachable(let other):
            step { replica, output in replica.unreachable(MemberID(rawValue: UInt64(other)), into: &output) }
        case .flushed: finishDisk()
        case .applied: finishApplying()
        case .checkpointDue: beginCheckpoint()
        case .checkpointWritten: if checkpoint != nil { finishCheckpoint() }
        case .snapshotsWanted: prepareSnapshots()
        case .scrubDue: scrub()
        case .replayed: finishReplay()
        case .taken(let stream): takenByClient(stream)
        }
    }

    func receive(_ message: Message) {
        world.note(
            number, .receive, message.term.rawValue, message.from.rawValue,
            text: "from m\(message.from.rawValue): \(message.brief)")
        step { replica, output in replica.step(.receive(message), into: &output) }
    }

    private func tick() {
        plan(.tick, after: Int64(Double(world.plan.tickMicroseconds) / world.plan.clockRates[number]))
        if owner.clock.standsStill(at: world.now) { return }
        step { replica, output in replica.tick(into: &output) }
        expireLeases()
        snapshots.expire(now: milliseconds)
        snapshots.letGo()
        tickMembers()
    }

    /// Steps the replica and sends its output on its way.
    func step(_ body: (inout Replica, inout ReplicaOutput) -> Void) {
        if isOver { return }
        body(&replica, &output)
        // A bug that was planted in it is to be found by what comes of it.
        if world.plan.raft.flaws.isEmpty { replica.node.checkInvariants() }
        world.raftChecker.check(replica.node, output)
        if let falsehood = diskChecker.falsehood(replica.node, output) {
            world.referee.fail(.durable, "m\(number) \(falsehood)")
        }
        let out = output
        output.removeAll()
        if let leadership = out.leadership { leadershipChanged(leadership) }
        diskQueue.append(contentsOf: out.writes)
        if out.writes.contains(where: \.isUrgent) { startDisk() }
        for message in out.messages { send(message) }
        askForSnapshots(out)
        for batch in out.applies { submit(batch) }
        for read in out.readsReady { serve(read.token) }
        for failure in out.failures { fail(failure) }
    }

    private func send(_ message: Message) {
        if case .snapshot(let metadata) = message.body {
            beginTransfer(metadata, to: message.to)
        } else {
            world.send(message)
        }
    }

    private func askForSnapshots(_ out: ReplicaOutput) {
        guard !out.snapshotsToPrepare.isEmpty || !out.snapshotsToDiscard.isEmpty else { return }
        snapshots.want(out.snapshotsToPrepare)
        snapshots.discard(out.snapshotsToDiscard)
        plan(.snapshotsWanted, after: world.random(10...2_000))
    }

    private func leadershipChanged(_ leadership: Leadership) {
        world.note(
            number, .leadership, leadership.term.rawValue, UInt64(leadership.role.rawValue),
            text: "\(leadership.role) in term \(leadership.term), leader "
                + (leadership.leader.map { "m\($0.rawValue)" } ?? "unknown"))
        if leadership.role != .leader { leases.demote() }
    }

    /// The member must not go on, as the server says of a failed disk. It comes back after a while.
    func stopForGood(_ reason: String) {
        if isOver { return }
        world.note(number, .stop, text: reason)
        replica.giveUp(into: &output)
        for failure in output.failures { fail(failure) }
        owner.crash(world.random(0...1) == 0 ? .powerCut : .processDies)
        world.schedule(.restart(number), after: world.random(10_000...2_000_000))
    }
}

extension DiskWork {
    /// Something waits for it.
    var isUrgent: Bool {
        switch self {
        case .write(let write): write.mustSync
        case .read, .restore: true
        }
    }
}
