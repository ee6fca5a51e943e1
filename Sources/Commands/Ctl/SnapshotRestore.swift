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

/// `strake ctl snapshot restore`: makes the data directory of a member with the keys, revisions and leases of a snapshot, of
/// a database that was copied from an etcd's directory, or of such a directory. The member founds a new cluster, or is one of
/// those that the etcd's cluster had.
struct SnapshotRestore {
    static let details = """
        It makes the data directory of a member of a new cluster. Every member has to be restored from the same file with the
        same flags, but for --name, --data-dir and --initial-advertise-peer-urls. Keys, old revisions, leases, users and roles
        are kept; the members too with --keep-members.

        With --from-etcd it reads an etcd's database and, behind it, its log, so that the directory of an etcd that was killed
        loses nothing; neither is changed. The member goes on in the etcd's place, with all ids and revisions. Of a cluster
        with several members, stop them all and restore each from the same directory, the one whose log is newest, with --name.
        """

    static let flags = [
        CommandFlag("name", .text, "default", "the restored member's name"),
        CommandFlag("data-dir", .text, "", "where to restore to; must not exist; ${name}.strake if it is not given"),
        CommandFlag(
            "initial-advertise-peer-urls", .text, "http://localhost:2380",
            "the restored member's peer URLs, comma-separated"),
        CommandFlag(
            "initial-cluster", .text, "",
            "all members of the new cluster, as name=peer-url, comma-separated; this one alone if it is not given"),
        CommandFlag("initial-cluster-token", .text, "etcd-cluster", "sets clusters with the same peer URLs apart"),
        CommandFlag(
            "bump-revision", .integer, "1000000000",
            "how far to move the revision on, so that it is above all that clients have seen; 0 leaves it, as --from-etcd does "
                + "if this is not given"),
        CommandFlag(
            "mark-compacted", .flag, "true",
            "compact at the new revision: whoever watches from an older one is told to begin anew; not with --from-etcd if "
                + "neither this nor --bump-revision is given"),
        CommandFlag(
            "keep-members", .flag, "false",
            "go on with the cluster that it comes from: its members with their ids and URLs, and its place in the log; --name "
                + "says which of them this is; so it is with --from-etcd, unless flags name a new cluster"),
        CommandFlag(
            "skip-hash-check", .flag, "false",
            "take a file without a checksum: a database copied from an etcd's member/snap/db"),
        CommandFlag(
            "from-etcd", .text, "",
            "restore from the data directory of a stopped or killed etcd, in place of a file"),
        CommandFlag("wal-dir", .text, "", "where that etcd kept its log, if it was started with --wal-dir"),
    ]

    private enum Source {
        case file(String)
        case directory(String, logPath: String?)
    }

    /// Of events that are read at once.
    private static let sliceBytes = 1 << 20

    /// Who tells which of the members is meant, and what else goes on of the cluster.
    private struct Origin {
        /// Zero: the source does not say.
        var member: UInt64 = 0
        var cluster: UInt64 = 0
        var index: UInt64
        var term: UInt64
    }

    private static let newClusterFlags = ["initial-cluster", "initial-advertise-peer-urls", "initial-cluster-token"]

    private let source: Source
    private let options: StoreOptions
    private let keepsMembers: Bool
    /// As the flag says.
    private let name: String?
    private let bump: Int64
    private let marksCompacted: Bool
    private let checksSum: Bool

    init(_ context: CommandContext) throws(CommandFailure) {
        let arguments = context.arguments
        source = try Self.source(arguments)
        options = try Self.options(arguments)
        name = arguments.isSet("name") ? arguments.text("name") : nil
        keepsMembers = try Self.keepsMembers(arguments)
        // A directory has all that clients saw: nobody need move on from it.
        let isWhole = arguments.isSet("from-etcd")
        bump = isWhole && !arguments.isSet("bump-revision") ? 0 : arguments.integer("bump-revision")
        marksCompacted = isWhole && !arguments.isSet("mark-compacted") ? bump > 0 : arguments.flag("mark-compacted")
        checksSum = !arguments.flag("skip-hash-check")
        guard bump >= 0 else { throw .arguments("--bump-revision must not be below 0") }
        guard bump == 0 || marksCompacted else { throw .arguments("--mark-compacted required if --bump-revision") }
    }

    private static func keepsMembers(_ arguments: CommandArguments) throws(CommandFailure) -> Bool {
        let flag = newClusterFlags.first { arguments.isSet($0) }
        guard arguments.isSet("keep-members") else { return arguments.isSet("from-etcd") && flag == nil }
        guard arguments.flag("keep-members") else { return false }
        if let flag {
            throw .arguments("--\(flag) is of a new cluster, and --keep-members goes on with the old one")
        }
        return true
    }

    private static func source(_ arguments: CommandArguments) throws(CommandFailure) -> Source {
        let directory = arguments.isSet("from-etcd") ? arguments.text("from-etcd") : nil
        guard arguments.words.count == (directory == nil ? 1 : 0) else {
            throw .arguments("snapshot restore requires exactly one argument, or --from-etcd")
        }
        let logPath = arguments.isSet("wal-dir") ? arguments.text("wal-dir") : nil
        guard logPath == nil || directory != nil else {
            throw .arguments(
                "--wal-dir says where the log of --from-etcd is; a restored member's lies in its data directory")
        }
        return directory.map { .directory($0, logPath: logPath) } ?? .file(arguments.words[0])
    }

    private static func options(_ arguments: CommandArguments) throws(CommandFailure) -> StoreOptions {
        let name = arguments.text("name")
        let target = arguments.text("data-dir")
        var options = StoreOptions(dataDirectory: target.isEmpty ? "\(name).strake" : target)
        options.name = name
        options.peerURLs = arguments.list("initial-advertise-peer-urls")
        options.clusterToken = arguments.text("initial-cluster-token")
        if let problem = options.peerURLs.compactMap({ ListenURL.problem(with: $0) }).first {
            throw .arguments("--initial-advertise-peer-urls: \(problem)")
        }
        let text =
            arguments.isSet("initial-cluster")
            ? arguments.text("initial-cluster") : options.peerURLs.map { "\(name)=\($0)" }.joined(separator: ",")
        do throws(ClusterFlagError) {
            options.initialMembers = try InitialCluster.members(text)
            try InitialCluster.check(options.initialMembers, name: name, advertised: options.peerURLs)
        } catch { throw .arguments(error.description) }
        return options
    }

    func run() throws(CommandFailure) {
        switch source {
        case .file(let path):
            let file = try SnapshotFile(path)
            if checksSum { try file.checkSum() }
            let contents = try self.contents(of: file)
            // An etcd before 3.5 does not say its term.
            let origin = Origin(index: contents.consistentIndex, term: max(contents.term, 1))
            try restore(contents, origin, from: path)
        case .directory(let path, let logPath):
            let directory = try EtcdDirectory(path, logPath: logPath)
            // It holds the lock that keeps an etcd from starting meanwhile.
            defer { withExtendedLifetime(directory) {} }
            let contents = try self.contents(of: directory.database)
            let log = try directory.log(behind: contents)
            if log.items.isEmpty {
                let origin = Origin(
                    member: log.member, cluster: log.cluster, index: contents.consistentIndex, term: log.term)
                try restore(contents, origin, from: path)
            } else {
                try restore(contents, and: log, of: directory)
            }
        }
    }

    private func contents(of file: SnapshotFile) throws(CommandFailure) -> BackendContents {
        let database = try file.database()
        let contents: BackendContents
        do throws(BackendError) {
            contents = try BackendContents(database)
        } catch { throw CommandFailure("\(file.path): \(error)") }
        return contents
    }

    private func restore(_ contents: BackendContents, _ origin: Origin, from path: String) throws(CommandFailure) {
        let cluster = try cluster(contents.members, origin)
        do throws(StoreStartError) {
            var restoration = try StoreRestoration.begin(options, goingOnWith: cluster, on: FileDisk())
            let newest = try feed(contents, path, to: &restoration)
            try finish(
                consume restoration, newest: newest, contents.leases, contents.alarms, contents.auth,
                compact: contents.compactRevision, compacted: contents.compacted)
        } catch { throw CommandFailure(error.description) }
    }

    /// Carries out the entries on a store of its own first: only then it is known how far the revisions come.
    private func restore(
        _ contents: BackendContents, and log: EtcdLog, of directory: EtcdDirectory
    ) throws(CommandFailure) {
        let scratch = try ScratchStore(beside: options.dataDirectory)
        defer { scratch.remove() }
        do {
            var tail = try EtcdTail(contents, into: scratch.tables)
            var count = 0
            for item in log.items {
                let data = try directory.data(of: item)
                if try data.withUnsafeBytes({ try tail.apply($0, item.kind, index: item.index) }) { count += 1 }
            }
            let origin = Origin(
                member: log.member, cluster: log.cluster, index: log.items.last?.index ?? 0, term: log.term)
            let cluster = try cluster(tail.members, origin)
            let backup = tail.backup()
            var restoration = try StoreRestoration.begin(options, goingOnWith: cluster, on: FileDisk())
            try feed(backup.history, to: &restoration)
            let history = backup.history
            try finish(
                consume restoration, newest: history.revision, backup.leases, backup.alarms, backup.auth,
                compact: history.compactRevision, compacted: history.compactRevision)
            if count > 0 {
                CommandOutput.line("carried out \(count) requests of the log that the database did not have")
            }
            if tail.members.voterCount > 1, log.unmarkedCount > 0 {
                CommandOutput.line(
                    "the last \(log.unmarkedCount) entries of the log are not marked as committed; they are restored too. Of "
                        + "a cluster's directories take the one whose log is newest.")
            }
        } catch let error as CommandFailure {
            throw error
        } catch {
            throw CommandFailure("\(error)")
        }
    }

    /// The cluster to go on with; nil for a new one.
    private func cluster(_ members: EtcdMembers, _ origin: Origin) throws(CommandFailure) -> InheritedCluster? {
        guard keepsMembers else { return nil }
        let hint = "; with --initial-cluster it founds a new cluster"
        guard members.voterCount > 0, origin.index > 0, origin.term > 0 else {
            throw CommandFailure("no members are written down there that could be kept\(hint)")
        }
        let names = members.all.map { $0.name.isEmpty ? String($0.id, radix: 16) : $0.name }.joined(separator: ", ")
        let candidates = members.all.filter { member in
            if let name { return member.name == name }
            return origin.member == 0 || member.id == origin.member
        }
        guard let own = candidates.first, candidates.count == 1 else {
            let problem = name.map { "--name: there is no member \($0)" } ?? "--name has to say which member it is"
            throw .arguments("\(problem); the members are \(names)\(hint)")
        }
        CommandOutput.line("goes on as the member \(own.name) (\(String(own.id, radix: 16))) of \(names)")
        return InheritedCluster(
            id: origin.cluster != 0 ? origin.cluster : clusterID(members), member: own.id, members: members.all,
            learners: members.learners, index: origin.index, term: origin.term)
    }

    /// A snapshot does not say the cluster's id: one that all its members come to.
    private func clusterID(_ members: EtcdMembers) -> UInt64 {
        var options = options
        options.initialMembers = members.all.map { InitialMember(name: $0.name, peerURLs: $0.peerURLs) }
        return MemberIdentity(founding: options).cluster
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
        CommandOutput.line(
            "restored \(options.dataDirectory), revision \(moved)\(marksCompacted ? ", compacted there" : "")")
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
