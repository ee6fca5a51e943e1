internal import StrakeAuth
internal import StrakeClusterFlags
internal import StrakeEtcdBackend
internal import StrakeFlags
internal import StrakeLeases
internal import StrakeLog
internal import StrakeMVCC
internal import StrakeModel
internal import StrakeStateMachine
internal import StrakeStore
internal import StrakeTables

/// `strake ctl snapshot restore`: makes the data directory of a member of a new cluster with the keys, revisions and leases
/// of a snapshot, of a database that was copied from an etcd's directory, or of such a directory.
struct SnapshotRestore {
    private enum Source {
        case file(String)
        case directory(String, logPath: String?)
    }

    /// Of events that are read at once.
    private static let sliceBytes = 1 << 20

    private let source: Source
    private let options: StoreOptions
    private let bump: Int64
    private let marksCompacted: Bool
    private let checksSum: Bool

    init(_ words: [String], _ flags: FlagSet) throws(CtlError) {
        let directory = flags.isSet("from-etcd") ? flags.string("from-etcd") : nil
        guard words.count == (directory == nil ? 1 : 0) else {
            throw CtlError("snapshot restore takes one FILE, or --from-etcd", exitCode: 2)
        }
        let logPath = flags.isSet("wal-dir") ? flags.string("wal-dir") : nil
        guard logPath == nil || directory != nil else {
            throw CtlError("--wal-dir says where the log of --from-etcd is", exitCode: 2)
        }
        source = directory.map { .directory($0, logPath: logPath) } ?? .file(words[0])
        let name = flags.string("name")
        let target = flags.isSet("data-dir") ? flags.string("data-dir") : "\(name).strake"
        var options = StoreOptions(dataDirectory: target)
        options.name = name
        options.peerURLs = flags.list("initial-advertise-peer-urls")
        options.clusterToken = flags.string("initial-cluster-token")
        do throws(ClusterFlagError) {
            let urls = options.peerURLs
            let text =
                flags.isSet("initial-cluster")
                ? flags.string("initial-cluster") : urls.map { "\(name)=\($0)" }.joined(separator: ",")
            options.initialMembers = try InitialCluster.members(text)
            try InitialCluster.check(options.initialMembers, name: name, advertised: urls)
        } catch { throw CtlError(error.description, exitCode: 2) }
        self.options = options
        bump = flags.integer("bump-revision")
        marksCompacted = flags.bool("mark-compacted")
        checksSum = !flags.bool("skip-hash-check")
        guard bump >= 0 else { throw CtlError("--bump-revision must not be below 0", exitCode: 2) }
        guard bump == 0 || marksCompacted else {
            throw CtlError("--mark-compacted required if --bump-revision", exitCode: 2)
        }
    }

    func run() throws(CtlError) {
        switch source {
        case .file(let path):
            let file = try SnapshotFile(path)
            if checksSum { try file.checkSum() }
            try restore(try contents(of: file), from: path)
        case .directory(let path, let logPath):
            let directory = try EtcdDirectory(path, logPath: logPath)
            // It holds the lock that keeps an etcd from starting meanwhile.
            defer { withExtendedLifetime(directory) {} }
            let contents = try self.contents(of: directory.database)
            let (items, open) = try directory.tail(behind: contents)
            if open > 0 {
                print(
                    "the last \(open) entries of the log are not marked as committed; they are restored too. Of a cluster's "
                        + "directories take the one whose log is newest.")
            }
            guard items.contains(where: \.isRequest) else { return try restore(contents, from: path) }
            try restore(contents, and: items, of: directory)
        }
    }

    private func contents(of file: SnapshotFile) throws(CtlError) -> BackendContents {
        let database = try file.database()
        let contents: BackendContents
        do throws(BackendError) {
            contents = try BackendContents(database)
        } catch { throw CtlError("\(file.path): \(error)") }
        return contents
    }

    private func restore(_ contents: BackendContents, from path: String) throws(CtlError) {
        do throws(StoreStartError) {
            var restoration = try StoreRestoration.begin(options, on: FileDisk())
            let newest = try feed(contents, path, to: &restoration)
            try finish(
                consume restoration, newest: newest, contents.leases, contents.alarms, contents.auth,
                compact: contents.compactRevision, compacted: contents.compacted)
        } catch { throw CtlError(error.description) }
    }

    /// Carries out the entries on a store of its own first: only then it is known how far the revisions come.
    private func restore(
        _ contents: BackendContents, and items: [EtcdLog.Item], of directory: EtcdDirectory
    ) throws(CtlError) {
        let scratch = try ScratchStore(beside: options.dataDirectory)
        defer { scratch.remove() }
        do {
            var tail = try EtcdTail(contents, into: scratch.tables)
            var count = 0
            for item in items where item.isRequest {
                let data = try directory.data(of: item)
                if try data.withUnsafeBytes({ try tail.apply($0, index: item.index) }) { count += 1 }
            }
            let backup = tail.backup()
            var restoration = try StoreRestoration.begin(options, on: FileDisk())
            try feed(backup.history, to: &restoration)
            let history = backup.history
            try finish(
                consume restoration, newest: history.revision, backup.leases, backup.alarms, backup.auth,
                compact: history.compactRevision, compacted: history.compactRevision)
            print("carried out \(count) requests of the log that the database did not have")
        } catch let error as CtlError {
            throw error
        } catch {
            throw CtlError("\(error)")
        }
    }

    /// - Parameter newest: The revision that the history comes to.
    private func finish(
        _ restoration: consuming StoreRestoration, newest: Int64, _ leases: [Lease], _ alarms: [AlarmMember],
        _ auth: AuthStore, compact: Int64, compacted: Int64
    ) throws(StoreStartError) {
        let (moved, isTooHigh) = newest.addingReportingOverflow(bump)
        guard !isTooHigh, moved < BackendContents.revisionMax else {
            throw StoreStartError("--bump-revision: there is no revision \(newest) + \(bump)")
        }
        let target = marksCompacted ? moved : compact
        let revisions = StateBuilder.Revisions(newest: moved, compact: target, compacted: min(compacted, target))
        try restoration.finish(leases: leases, alarms: alarms, auth: auth, revisions: revisions)
        print("restored \(options.dataDirectory), revision \(moved)\(marksCompacted ? ", compacted there" : "")")
    }

    private func feed(
        _ history: HistoryTransfer, to restoration: inout StoreRestoration
    ) throws {
        var history = history
        while !history.isAtEnd {
            for event in try history.next(byteBudget: Self.sliceBytes) {
                try restoration.append(ImportedEvent(event))
            }
        }
    }

    /// - Returns: The newest revision that the events speak of.
    private func feed(
        _ contents: BackendContents, _ path: String, to restoration: inout StoreRestoration
    ) throws(StoreStartError) -> Int64 {
        // A new store's revision is 1.
        var newest = max(1, contents.compactRevision)
        var failure: StoreStartError?
        do throws(BackendError) {
            try contents.forEachEvent { event in
                newest = max(newest, event.revision.main)
                // An entry without a key only says how far the revisions have come.
                if event.keyValue.key.isEmpty { return true }
                do throws(StoreStartError) { try restoration.append(event) } catch { failure = error }
                return failure == nil
            }
        } catch { throw StoreStartError("\(path): \(error)") }
        if let failure { throw failure }
        return newest
    }
}
