internal import StrakeLeases
internal import StrakeLog
package import StrakeMVCC
internal import StrakeModel
internal import StrakeRaft
package import StrakeReplication
internal import StrakeStateMachine
internal import Synchronization

/// The lease clock where several closures can share it.
final class LeaseKeeper: Sendable {
    let clock: Mutex<LeaseClock>
    /// The term that the clock leads in; changed and read under its lock.
    let term = Atomic<UInt64>(0)

    init(_ clock: LeaseClock) {
        self.clock = Mutex(clock)
    }
}

/// One member: a replica on a real disk and clock.
///
/// Requests come in on any thread and never wait: a proposal is stepped into raft under a short lock, the disk thread
/// flushes it with all that came with it, and its answer goes to the target that asked.
package final class Store: Sendable {
    package let options: StoreOptions
    let identity: MemberIdentity
    /// Reads of what is applied.
    package let reader: Reader

    let replica: Mutex<ReplicaState>
    let disk: DiskRole
    let applyRole: ApplyRole
    /// Changed by the apply role, in the lock of its machine.
    private let clusterState: Mutex<ClusterState>
    let checkpoint: CheckpointRole
    let scrub = ScrubRole()
    let log: DurableLog
    let directory: DataDirectory
    let leases: LeaseKeeper
    let expiries: LeaseExpiries
    let targets = Mutex<[any AnswerTarget]>([])
    let gauges = StoreGauges()
    /// Users, roles and permissions as applied.
    package let auth: AuthDesk
    let lifecycle: Lifecycle
    let departure: Mutex<Departure>
    /// Nil where there are no other members and never will be.
    let transport: (any Transport)?
    let snapshots: SnapshotDesk
    let links = PeerLinks()
    let digestDesk: DigestDesk
    let leaderCalls = LeaderCalls()
    let desk = LeaderDesk()
    let publisher = Publisher()
    let promoter = LearnerPromoter()
    let autoCompactor = AutoCompactor()
    /// Held while the transport and the gauges are told of the state machine's members and alarms.
    let telling = Mutex(())
    let transfers = Mutex<[Transfer]>([])
    let proposalCount = Atomic<UInt64>(0)
    /// Rings for the clock's thread, when it is to end.
    let clockBell = Doorbell()
    /// Rings for the thread of snapshots.
    let snapshotBell = Doorbell()
    /// Set once, before the first checkpoint can end.
    private let truncate = Mutex<(@Sendable (LogTruncation) -> Void)?>(nil)

    /// The replica with the output that its steps fill again and again.
    struct ReplicaState: ~Copyable {
        var replica: Replica
        var output = ReplicaOutput()
    }

    init(parts: consuming sending StoreParts, transport: (any Transport)?) {
        self.transport = transport
        snapshots = SnapshotDesk(parts.directories)
        options = parts.options
        digestDesk = DigestDesk(ticksBetween: parts.options.digestTicks)
        identity = parts.identity
        reader = parts.reader
        auth = AuthDesk(tokenMilliseconds: Int64(parts.options.tokenSeconds) * 1_000)
        auth.replace(with: parts.machine.auth)
        gauges.leases.store(parts.machine.lessor.count, ordering: .relaxed)
        replica = Mutex(ReplicaState(replica: parts.replica))
        log = parts.log
        directory = parts.directory
        disk = DiskRole(log: parts.log, gauges: gauges)
        checkpoint = CheckpointRole(compactor: parts.compactor)
        let leases = LeaseKeeper(parts.leases)
        self.leases = leases
        expiries = LeaseExpiries { ids in leases.clock.withLock { $0.expiryFailed(ids) } }
        lifecycle = Lifecycle()
        departure = Mutex(Departure(electionMilliseconds: Int64(parts.options.electionMilliseconds)))
        clusterState = Mutex(ClusterState(parts.machine))
        applyRole = ApplyRole(machine: parts.machine)
        expiries.setTarget(register(expiries))
        desk.setTarget(register(desk))
        desk.attach(self)
        publisher.setTarget(register(publisher))
        autoCompactor.setTarget(register(autoCompactor))
    }

    /// As applied.
    var cluster: ClusterState { clusterState.withLock { $0 } }

    /// The machine has applied a change of members or alarms, or is another one. Called before anybody hears of that.
    func keepClusterState(of machine: borrowing StateMachine) {
        let state = ClusterState(machine)
        clusterState.withLock { $0 = state }
    }

    package var clusterID: UInt64 { identity.cluster }
    package var memberID: UInt64 { identity.member.rawValue }

    /// Adds a place that answers go to, for as long as the store is open.
    ///
    /// - Returns: The number to put into a `RequestOrigin`.
    package func register(_ target: any AnswerTarget) -> Int32 {
        targets.withLock { targets in
            targets.append(target)
            return Int32(targets.count - 1)
        }
    }

    /// Puts commands into the log, in order. Each origin gets an answer or a failure, once.
    package func propose(_ commands: [(data: [UInt8], origin: RequestOrigin?)]) {
        if lifecycle.isStopped {
            fail(commands.compactMap(\.origin), .stopped)
            return
        }
        step { replica, output in replica.propose(commands, into: &output) }
        giveUpIfStopped()
    }

    /// Makes sure that a read after it sees every write acknowledged before it.
    ///
    /// - Returns: The read may be served at once; else the origin hears when.
    package func read(_ origin: RequestOrigin) -> Bool {
        if lifecycle.isStopped {
            fail([origin], .stopped)
            return false
        }
        var isReady = false
        step { replica, output in
            replica.read(origin, into: &output)
            // Taken back out of the output when it came at once, so that it is not delivered as well.
            if let position = output.readsReady.firstIndex(of: origin) {
                output.readsReady.remove(at: position)
                isReady = true
            }
        }
        giveUpIfStopped()
        return isReady
    }

    /// Steps the replica and sends its output on its way.
    func step(_ body: (inout Replica, inout ReplicaOutput) -> Void) {
        var groups = AnswerGroups()
        var applies: [ApplyBatch] = []
        var leadership: Leadership?
        var asksForWork = false
        let wakesDisk = replica.withLock { state in
            body(&state.replica, &state.output)
            // In the lock, so that the disk sees writes in the replica's order.
            let wakes = disk.enqueue(&state.output.writes)
            swap(&applies, &state.output.applies)
            send(state.output.messages)
            leadership = state.output.leadership
            // In the lock, so that no later leadership's clock is stopped.
            if let leadership, leadership.role != .leader { leases.clock.withLock { $0.demote() } }
            asksForWork = !state.output.snapshotsToPrepare.isEmpty || !state.output.snapshotsToDiscard.isEmpty
            if asksForWork {
                snapshots.want(state.output.snapshotsToPrepare)
                snapshots.discard(state.output.snapshotsToDiscard)
            }
            for read in state.output.readsReady {
                groups.with(read.target) { $0.readsReady.append(read.token) }
            }
            for failure in state.output.failures {
                groups.with(failure.origin.target) {
                    $0.failures.append((failure.origin.token, StoreError(failure.reason)))
                }
            }
            gauges.record(state.replica)
            state.output.removeAll()
            return wakes
        }
        if wakesDisk { disk.wake() }
        if asksForWork { snapshotBell.ring() }
        if let leadership { leadershipChanged(leadership) }
        for batch in applies where applyRole.submit(batch, mayRunInline: disk.isOwnThread && !disk.isBehind) {
            disk.whileApplying { applyRole.runInline(apply, isNeededElsewhere: { disk.isBehind }) }
        }
        groups.deliver(to: targets.withLock { $0 })
    }

    func fail(_ origins: [RequestOrigin], _ error: StoreError) {
        var groups = AnswerGroups()
        for origin in origins {
            groups.with(origin.target) { $0.failures.append((origin.token, error)) }
        }
        groups.deliver(to: targets.withLock { $0 })
    }

    /// Has the layers written now rather than at their time.
    package func requestCheckpoint() { checkpoint.wake() }

    /// Sends answers that were held back.
    func deliver(_ answers: [(answer: Answer, target: Int32)]) {
        var groups = AnswerGroups()
        for (answer, target) in answers {
            groups.with(target) { $0.answers.append(answer) }
        }
        groups.deliver(to: targets.withLock { $0 })
    }

    func setTruncation(_ body: @escaping @Sendable (LogTruncation) -> Void) {
        truncate.withLock { $0 = body }
    }

    /// The state machine's disk holds everything up to the snapshot: the log need not.
    ///
    /// - Returns: false when other members still need some of what could go.
    func truncateLog(behind snapshot: SnapshotMetadata) -> Bool {
        var isWhole = true
        var last = LogIndex.zero
        if snapshot.last.index.rawValue > options.retainedEntries {
            last = snapshot.last.index - options.retainedEntries
            // While a snapshot of a large store is on its way, much is written.
            let bytesMax = max(options.laggardLogBytesMax, gauges.pageBytes.load(ordering: .relaxed))
            let helpsLaggards = log.bytes < bytesMax
            // The node hears of it first: it must not ask for entries that are going.
            step { replica, output in
                if helpsLaggards, let needed = replica.node.neededAfter, needed < last {
                    last = needed
                    isWhole = false
                }
                // The state machine may be a batch ahead of what the node was told is applied.
                last = min(last, replica.node.applied)
                replica.step(.compacted(through: last), into: &output)
            }
        }
        truncate.withLock { $0 }?(LogTruncation(checkpoint: snapshot, last: last))
        return isWhole
    }

    /// The member must not go on: every request from here on is refused, and the operator hears why.
    func stopForGood(_ reason: String) {
        guard lifecycle.stop() else { return }
        options.onNotice(.fatal(reason))
        giveUpIfStopped()
    }

    /// The same, with what to do if the cause is damage.
    func stopForGood(_ reason: String, _ cause: some Error) {
        let advice = cause.saysFilesAreUnfit ? "." + options.adviceOnUnfitFiles(member: memberID) : ""
        stopForGood(reason + (advice == "." ? "" : advice))
    }

    /// Refuses what waits for an answer once the member has stopped. Asked after the stop, and again by requests that came
    /// in beside it, so that none is left waiting.
    func giveUpIfStopped() {
        guard lifecycle.isStopped else { return }
        step { replica, output in replica.giveUp(into: &output) }
        leaderCalls.giveUp()
    }
}
