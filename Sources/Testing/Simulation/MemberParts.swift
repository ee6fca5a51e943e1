internal import StrakeLMDB
internal import StrakeLeases
internal import StrakeLog
internal import StrakeMVCC
internal import StrakeRaft
internal import StrakeReplication
internal import StrakeStateMachine
internal import StrakeStore
internal import StrakeTables

/// What a member consists of, opened from its disk and fitted together as the server does it (`StoreParts`).
final class MemberParts {
    let directory: DataDirectory
    let directories: StoreDirectories
    let log: DurableLog
    let replica: Replica
    let leases: LeaseClock
    let reader: Reader
    let compactor: Compactor
    private var machine: StateMachine?

    private init(
        directory: DataDirectory, directories: StoreDirectories, log: DurableLog, replica: Replica,
        machine: consuming StateMachine
    ) {
        self.directory = directory
        self.directories = directories
        self.log = log
        self.replica = replica
        leases = LeaseClock(machine.lessor.all)
        reader = machine.store.reader
        compactor = machine.store.compactor
        self.machine = consume machine
    }

    /// Once.
    func takeMachine() -> StateMachine {
        guard let taken = machine.take() else { preconditionFailure("the state machine has been taken") }
        return taken
    }

    static func open(_ member: SimulatedMember, plan: Plan) throws(StartFailure) -> MemberParts {
        let disk = member.disk
        let directory = try start { () throws(DataDirectoryError) in try DataDirectory(opening: "/data", on: disk) }
        try start { () throws(DataDirectoryError) in try directory.checkContents() }
        let isNew = directory.identity == nil
        let directories = try start { () throws(DiskError) in try StoreDirectories(in: directory.path, on: disk) }
        let founding = member.founding
        let durability: Environment.Durability = plan.flaw == .checkpointWithoutSync ? .nothing : .full
        var machine = try openMachine(disk.realPath(of: directories.currentPath), founding, member, durability)
        if machine.isNew { try writeFirstCheckpoint(of: &machine) }

        var options = DurableLog.Options()
        options.segmentBytes = plan.segmentBytes
        options.retainedEntries = plan.retainedEntries
        options.saltSeed = plan.seed(of: member.number) &+ UInt64(member.life)
        options.mayCreate = isNew && machine.applied == founding.last
        let identity = MemberIdentity(cluster: 1, member: member.id)
        let log = try start { () throws(LogError) in
            try DurableLog(directory: directory.logPath, on: disk, identity: identity, options: options)
        }
        if isNew {
            if log.lastIndex == .zero, machine.applied == founding.last, machine.applied != .zero {
                let snapshot = machine.snapshot
                try start { () throws(LogError) in try log.replaceAll(with: snapshot) }
            }
            try start { () throws(DataDirectoryError) in try directory.initialize(identity) }
        } else if directories.isLogBehind(log, machine.applied) {
            let snapshot = machine.snapshot
            try start { () throws(LogError) in try log.replaceAll(with: snapshot) }
        }
        try start { () throws(DiskError) in try directories.removeOthers() }
        let replica = try openReplica(member, plan, log, machine.snapshot)
        return MemberParts(
            directory: directory, directories: directories, log: log, replica: replica, machine: machine)
    }

    private static func openMachine(
        _ path: String, _ founding: SnapshotMetadata, _ member: SimulatedMember, _ durability: Environment.Durability
    ) throws(StartFailure) -> StateMachine {
        do {
            let tables = try StoreTables(directory: path, mapBytes: 1 << 30, durability: durability)
            return try StateMachine(tables: tables, founding: founding, foundingMembers: member.foundingMembers)
        } catch {
            if let errno = PlannedFault.errno(of: error) { throw .disk(errno: errno) }
            throw .unusable("cannot open the store: \(error)")
        }
    }

    private static func writeFirstCheckpoint(of machine: inout StateMachine) throws(StartFailure) {
        guard let work = machine.freeze() else { return }
        try start { () throws(MVCCError) in _ = try work.run() }
        machine.store.finish(work)
    }

    private static func openReplica(
        _ member: SimulatedMember, _ plan: Plan, _ log: DurableLog, _ applied: SnapshotMetadata
    ) throws(StartFailure) -> Replica {
        guard applied.last.index <= log.lastIndex else {
            throw .unusable("its log ends at \(log.last), and its store has applied \(applied.last)")
        }
        guard applied.last.index >= log.start.index else {
            throw .unusable("its log begins after \(log.start), and its store has applied \(applied.last)")
        }
        var memory = StrakeRaft.RaftLog(after: log.start, cacheBytesMax: plan.raft.cacheBytesMax)
        try start { () throws(LogError) in
            var cursor = log.cursor(from: log.firstIndex)
            while let entry = try cursor.next() { memory.append(entry) }
        }
        guard (try? log.term(at: applied.last.index)) == applied.last.term else {
            throw .unusable("its store has applied \(applied.last), which is not in its log")
        }
        let node = RaftNode(
            id: member.id, options: plan.raft, seed: plan.seed(of: member.number) &+ UInt64(member.life) << 32,
            hardState: log.hardState, base: applied, log: memory)
        // 5 s and twice the election timeout, as the server.
        return Replica(node: node, requestTicks: 50 + 2 * UInt64(plan.electionTicks))
    }

    /// Runs a step of opening. A fault that the simulation had planned is no finding.
    private static func start<R, E: Error>(_ body: () throws(E) -> R) throws(StartFailure) -> R {
        do throws(E) {
            return try body()
        } catch {
            if let errno = PlannedFault.errno(of: error) { throw .disk(errno: errno) }
            throw .unusable("\(error)")
        }
    }
}
