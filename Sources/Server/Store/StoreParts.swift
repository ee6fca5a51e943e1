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
/// Layout: `STRAKE` (format and ids) and `LOCK`, `log/` (raft log), `store/` (LMDB).
struct StoreParts: ~Copyable {
    var options: StoreOptions
    var identity: MemberIdentity
    var reader: Reader
    var compactor: Compactor
    var replica: Replica
    var leases: LeaseClock
    var log: DurableLog
    var directory: DataDirectory
    var machine: StateMachine

    static func open(_ options: StoreOptions, on disk: any Disk) throws(StoreStartError) -> StoreParts {
        let directory = try explained { () throws(DataDirectoryError) in
            try DataDirectory(opening: options.dataDirectory, on: disk)
        }
        try explained { () throws(DataDirectoryError) in try directory.checkContents() }
        let identity = directory.identity ?? MemberIdentity(founding: options)
        let isNew = directory.identity == nil
        try explained { () throws(DiskError) in try disk.createDirectory(directory.storePath) }
        let tables = try explained { () throws(TableError) in try StoreTables(directory: directory.storePath) }
        let founding = SnapshotMetadata.bootstrap(voters: [identity.member])
        let machine = try openMachine(tables, founding)

        var logOptions = DurableLog.Options()
        logOptions.retainedEntries = options.retainedEntries
        logOptions.segmentBytes = options.logSegmentBytes
        // A member that was created had a log, and so had a store that has applied something: an empty one in its place
        // would lose what was acknowledged.
        logOptions.mayCreate = isNew && machine.applied == founding.last
        let log = try explained { () throws(LogError) in
            try DurableLog(directory: directory.logPath, on: disk, identity: identity, options: logOptions)
        }
        if isNew {
            // Cut short before its last step, a creation is done again from where it was: nobody was answered yet.
            if log.lastIndex == .zero, machine.applied == founding.last {
                try explained { () throws(LogError) in try log.replaceAll(with: founding) }
            }
            try explained { () throws(DataDirectoryError) in try directory.initialize(identity) }
        }
        if let repair = log.repair { options.onNotice(.repaired("\(repair)")) }
        let replica = try openReplica(options, identity.member, log, machine.snapshot)
        let (reader, compactor, leases) = (
            machine.store.reader, machine.store.compactor, LeaseClock(machine.lessor.all)
        )
        return StoreParts(
            options: options, identity: identity, reader: reader, compactor: compactor, replica: replica,
            leases: leases, log: log, directory: directory, machine: machine)
    }

    private static func openMachine(
        _ tables: StoreTables, _ founding: SnapshotMetadata
    ) throws(StoreStartError) -> StateMachine {
        do throws(StateMachineError) {
            return try StateMachine(tables: tables, founding: founding)
        } catch {
            throw StoreStartError("cannot open the store: \(error)")
        }
    }

    private static func openReplica(
        _ options: StoreOptions, _ member: MemberID, _ log: DurableLog, _ applied: SnapshotMetadata
    ) throws(StoreStartError) -> Replica {
        guard applied.last.index <= log.lastIndex else {
            throw StoreStartError(
                "the log in \(options.dataDirectory)/log ends at entry \(log.lastIndex), but the store has applied entry "
                    + "\(applied.last.index): log files are missing. "
                    + Remedy.ofMissingFiles)
        }
        guard applied.last.index >= log.start.index else {
            throw StoreStartError(
                "the log in \(options.dataDirectory)/log begins after entry \(log.start.index), but the store has only "
                    + "applied up to \(applied.last.index): files of the store are missing or older than the log. "
                    + Remedy.ofMissingFiles)
        }
        var memory = StrakeRaft.RaftLog(after: log.start)
        do throws(LogError) {
            var cursor = log.cursor(from: log.firstIndex)
            while let entry = try cursor.next() { memory.append(entry) }
        } catch {
            throw StoreStartError("\(error)")
        }
        var raftOptions = RaftOptions()
        raftOptions.electionTicks = options.electionTicks
        raftOptions.heartbeatTicks = 1
        raftOptions.preVote = options.preVote
        raftOptions.forwardProposals = false
        let node = RaftNode(
            id: member, options: raftOptions, seed: options.seed, hardState: log.hardState, base: applied, log: memory)
        return Replica(node: node, requestTicks: options.requestTicks)
    }

    /// Runs a step of opening and turns its error into the sentence for the operator.
    private static func explained<R, E: Error>(_ body: () throws(E) -> R) throws(StoreStartError) -> R {
        do throws(E) {
            return try body()
        } catch {
            throw StoreStartError("\(error)")
        }
    }
}
