internal import StrakeClusterFlags
internal import StrakeEtcdBackend
internal import StrakeFlags
internal import StrakeLog
internal import StrakeMVCC
internal import StrakeModel
internal import StrakeStateMachine
internal import StrakeStore

/// `strake ctl snapshot restore`: makes the data directory of a member of a new cluster with the keys, revisions and leases
/// of a snapshot, or of a database that was copied from an etcd's directory.
struct SnapshotRestore {
    private let path: String
    private let options: StoreOptions
    private let bump: Int64
    private let marksCompacted: Bool
    private let checksSum: Bool

    init(_ words: [String], _ flags: FlagSet) throws(CtlError) {
        guard words.count == 1 else { throw CtlError("snapshot restore takes one FILE", exitCode: 2) }
        path = words[0]
        let name = flags.string("name")
        let directory = flags.isSet("data-dir") ? flags.string("data-dir") : "\(name).strake"
        var options = StoreOptions(dataDirectory: directory)
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
        let file = try SnapshotFile(path)
        if checksSum { try file.checkSum() }
        let database = try file.database()
        let contents: BackendContents
        do throws(BackendError) {
            contents = try BackendContents(database)
        } catch { throw CtlError("\(path): \(error)") }
        if contents.isAuthEnabled {
            throw CtlError(
                "\(path): the cluster had authentication enabled, which Strake does not have: whoever reached a restored "
                    + "member could read and write everything")
        }
        let newest: Int64
        do throws(StoreStartError) {
            newest = try restore(contents)
        } catch { throw CtlError(error.description) }
        print("restored \(options.dataDirectory), revision \(newest)\(marksCompacted ? ", compacted there" : "")")
    }

    /// - Returns: The revision that the member begins with.
    private func restore(_ contents: BackendContents) throws(StoreStartError) -> Int64 {
        var restoration = try StoreRestoration.begin(options, on: FileDisk())
        let newest = try feed(contents, to: &restoration)
        let (moved, isTooHigh) = newest.addingReportingOverflow(bump)
        guard !isTooHigh, moved < BackendContents.revisionMax else {
            throw StoreStartError("--bump-revision: there is no revision \(newest) + \(bump)")
        }
        let compact = marksCompacted ? moved : contents.compactRevision
        let revisions = StateBuilder.Revisions(
            newest: moved, compact: compact, compacted: min(contents.compacted, compact))
        try restoration.finish(leases: contents.leases, alarms: contents.alarms, revisions: revisions)
        return moved
    }

    /// - Returns: The newest revision that the events speak of.
    private func feed(
        _ contents: BackendContents, to restoration: inout StoreRestoration
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
