internal import StrakeLeases
internal import StrakeLog
internal import StrakeMVCC
internal import StrakeModel
internal import StrakeRaft
internal import StrakeReplication
internal import StrakeStateMachine
internal import StrakeTables

/// What a member consists of, opened from its directory and fitted together.
///
/// Layout: `STRAKE` (format and ids) and `LOCK`, `log/` (raft log), `store/` (LMDB) or the directory that `CURRENT` names.
struct StoreParts: ~Copyable {
    var options: StoreOptions
    var identity: MemberIdentity
    var reader: Reader
    var compactor: Compactor
    var replica: Replica
    var leases: LeaseClock
    var log: DurableLog
    var directory: DataDirectory
    var directories: StoreDirectories
    var machine: StateMachine

    static func open(_ options: StoreOptions, on disk: any Disk) throws(StoreStartError) -> StoreParts {
        var member: UInt64?
        do throws(StoreStartError) {
            let directory = try explained { () throws(DataDirectoryError) in
                try DataDirectory(opening: options.dataDirectory, on: disk)
            }
            member = directory.identity?.member.rawValue
            return try open(options, in: directory, on: disk)
        } catch {
            throw error.advising(options, member: member)
        }
    }

    private static func open(
        _ options: StoreOptions, in directory: DataDirectory, on disk: any Disk
    ) throws(StoreStartError) -> StoreParts {
        try explained { () throws(DataDirectoryError) in try directory.checkContents() }
        let isNew = directory.identity == nil
        let founding = Founding(options, owner: directory.identity)
        let identity = founding.identity
        let directories = try explained { () throws(DiskError) in
            try StoreDirectories(in: directory.path, on: disk)
        }
        let tables = try explained { () throws(TableError) in
            try StoreTables(directory: directories.currentPath)
        }
        var machine = try openMachine(tables, founding)
        try founding.check(machine, in: options.dataDirectory, isNew: isNew)
        // Before the log is: the flags say no more how the member began once it has begun.
        if machine.isNew { try writeFirstCheckpoint(of: &machine) }

        var logOptions = DurableLog.Options()
        logOptions.retainedEntries = options.retainedEntries
        logOptions.segmentBytes = options.logSegmentBytes
        // A member that was created had a log, and so had a store that has applied something: an empty one in its place
        // would lose what was acknowledged.
        logOptions.mayCreate = isNew && machine.applied == founding.base.last
        let log = try explained { () throws(LogError) in
            try DurableLog(directory: directory.logPath, on: disk, identity: identity, options: logOptions)
        }
        if isNew {
            // Cut short before its last step, a creation is done again from where it was: nobody was answered yet.
            if log.lastIndex == .zero, machine.applied == founding.base.last, machine.applied != .zero {
                let snapshot = machine.snapshot
                try explained { () throws(LogError) in try log.replaceAll(with: snapshot) }
            }
            try explained { () throws(DataDirectoryError) in try directory.initialize(identity) }
        } else if directories.isLogBehind(log, machine.applied) {
            // Nor is the installation of a snapshot that a crash cut short before its last step.
            let snapshot = machine.snapshot
            try explained { () throws(LogError) in try log.replaceAll(with: snapshot) }
        }
        let tidied = directories
        try explained { () throws(DiskError) in try tidied.removeOthers() }
        if let repair = log.repair { options.onNotice(.repaired("\(repair)")) }
        try checkEnds(options, log, machine.snapshot)
        try force(options, identity, isNew: isNew, log, machine.snapshot, ForcedMark(in: directory.path, on: disk))
        let replica = try openReplica(options, identity.member, log, machine.snapshot)
        let (reader, compactor, leases) = (
            machine.store.reader, machine.store.compactor, LeaseClock(machine.lessor.all)
        )
        return StoreParts(
            options: options, identity: identity, reader: reader, compactor: compactor, replica: replica,
            leases: leases, log: log, directory: directory, directories: directories, machine: machine)
    }

    private static func openMachine(
        _ tables: StoreTables, _ founding: Founding
    ) throws(StoreStartError) -> StateMachine {
        do throws(StateMachineError) {
            return try StateMachine(tables: tables, founding: founding.base, foundingMembers: founding.members)
        } catch {
            throw StoreStartError("cannot open the store: \(error)", filesAreUnfit: error.saysFilesAreUnfit)
        }
    }

    private static func writeFirstCheckpoint(of machine: inout StateMachine) throws(StoreStartError) {
        guard let work = machine.freeze() else { return }
        try explained { () throws(MVCCError) in _ = try work.run() }
        machine.store.finish(work)
    }

    /// Makes the member a cluster of its own, if that is asked for and was not done.
    private static func force(
        _ options: StoreOptions, _ identity: MemberIdentity, isNew: Bool, _ log: DurableLog,
        _ applied: SnapshotMetadata, _ mark: ForcedMark
    ) throws(StoreStartError) {
        guard options.forceNewCluster else {
            return try explained { () throws(DiskError) in try mark.clear() }
        }
        if try explained({ () throws(DiskError) in try mark.isSet() }) {
            options.onNotice(
                .forced("--force-new-cluster was carried out before: start once without it, to use it again"))
            return
        }
        // A member without data has no cluster to leave: it founds one, as without the flag.
        if !isNew { try ForcedCluster(identity, options, applied: applied, log: log).write(to: log) }
        // Last: cut short before, it is done again, and finds nothing more to change.
        try explained { () throws(DiskError) in try mark.set() }
    }

    /// Refuses a log and a store that do not belong together.
    private static func checkEnds(
        _ options: StoreOptions, _ log: DurableLog, _ applied: SnapshotMetadata
    ) throws(StoreStartError) {
        guard applied.last.index <= log.lastIndex else {
            throw StoreStartError(
                "the log in \(options.dataDirectory)/log ends at entry \(log.lastIndex), but the store has applied entry "
                    + "\(applied.last.index): log files are missing. "
                    + Remedy.ofMissingFiles, filesAreUnfit: true)
        }
        guard applied.last.index >= log.start.index else {
            throw StoreStartError(
                "the log in \(options.dataDirectory)/log begins after entry \(log.start.index), but the store has only "
                    + "applied up to \(applied.last.index): files of the store are missing or older than the log. "
                    + Remedy.ofMissingFiles, filesAreUnfit: true)
        }
    }

    private static func openReplica(
        _ options: StoreOptions, _ member: MemberID, _ log: DurableLog, _ applied: SnapshotMetadata
    ) throws(StoreStartError) -> Replica {
        var memory = StrakeRaft.RaftLog(after: log.start)
        do throws(LogError) {
            var cursor = log.cursor(from: log.firstIndex)
            while let entry = try cursor.next() { memory.append(entry) }
        } catch {
            throw StoreStartError(error)
        }
        var raftOptions = RaftOptions()
        raftOptions.electionTicks = options.electionTicks
        raftOptions.heartbeatTicks = 1
        raftOptions.preVote = options.preVote
        raftOptions.diskStallTicks = options.electionTicks
        let node = RaftNode(
            id: member, options: raftOptions, seed: options.seed, hardState: log.hardState, base: applied, log: memory)
        return Replica(node: node, requestTicks: options.requestTicks)
    }

    /// Runs a step of opening and turns its error into the sentence for the operator.
    private static func explained<R, E: Error>(_ body: () throws(E) -> R) throws(StoreStartError) -> R {
        do throws(E) {
            return try body()
        } catch {
            throw StoreStartError(error)
        }
    }
}
