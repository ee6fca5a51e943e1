internal import StrakeLog
package import StrakeModel
package import StrakeRaft
internal import StrakeStateMachine

/// `--force-new-cluster`: a member whose others are lost for good becomes a cluster of its own, with its data, its id and
/// the cluster's.
///
/// The others are removed as ever, by entries of the log, only that nobody else is asked: the entries are written as
/// committed ones. They are one batch, so after a crash either all of them are there or none, and the start can be tried
/// again.
///
/// What stands in the log is kept, to its end. etcd drops what lies beyond the committed index that the member had
/// written down; but that index is behind, and so a write could go that was answered.
package struct ForcedCluster {
    private let identity: MemberIdentity
    private let options: StoreOptions
    /// As of the end of the log.
    private let configuration: Configuration

    /// Reads on from what the state machine has applied.
    init(
        _ identity: MemberIdentity, _ options: StoreOptions, applied: SnapshotMetadata, log: DurableLog
    ) throws(StoreStartError) {
        self.identity = identity
        self.options = options
        var configuration = applied.configuration
        do {
            var cursor = log.cursor(from: applied.last.index + 1)
            while let entry = try cursor.next() {
                guard entry.kind == .configuration else { continue }
                guard let change = ConfigurationChange(decoding: entry.data) else {
                    throw StoreStartError("configuration entry \(entry.id) is not one this version knows")
                }
                configuration = try configuration.applying(change)
            }
        } catch {
            throw StoreStartError("cannot read who the members are: \(error)")
        }
        guard !configuration.members.isEmpty else {
            throw StoreStartError(
                "--force-new-cluster: the member in \(options.dataDirectory) has no data yet, so there is nothing to go "
                    + "on with. Use a member that had caught up with its cluster.")
        }
        self.configuration = configuration
    }

    /// What leads from a configuration to one member alone; nothing when it is.
    ///
    /// - Parameter attributes: Who a member is that the others had removed.
    package static func changes(
        from configuration: Configuration, to own: MemberID, attributes: MemberAttributes
    ) -> [ConfigurationChange] {
        var changes: [ConfigurationChange] = []
        var left = configuration
        if left.isJoint {
            changes.append(.leaveJoint)
            // It is joint, so it can be left.
            if let after = try? left.applying(.leaveJoint) { left = after }
        }
        if !left.voters.contains(own) {
            let isKnown = left.members.contains(own)
            changes.append(
                ConfigurationChange(
                    [.addVoter(own)],
                    context: isKnown ? [] : Command.setMember(attributes).encoded(ProposalID(rawValue: 0))))
        }
        // One at a time: each is a change that needs no joint configuration.
        return changes + left.members.filter { $0 != own }.map { ConfigurationChange([.remove($0)]) }
    }

    /// Writes the changes to the end of the log; durable on return.
    func write(to log: DurableLog) throws(StoreStartError) {
        let own = MemberAttributes(id: identity.member.rawValue, name: options.name, peerURLs: options.peerURLs)
        let changes = Self.changes(from: configuration, to: identity.member, attributes: own)
        guard !changes.isEmpty else { return }
        do throws(LogError) {
            let last = try EntryID(term: log.term(at: log.lastIndex), index: log.lastIndex)
            // A term of its own: no entry of the lost members can have the same place and term.
            let term = Term(rawValue: max(log.hardState.term.rawValue, last.term.rawValue) + 1)
            var entries: [Entry] = []
            for change in changes {
                let id = EntryID(term: term, index: last.index + UInt64(entries.count + 1))
                entries.append(Entry(id: id, kind: .configuration, data: change.encoded()))
            }
            let state = HardState(
                term: term, vote: identity.member, committed: last.index + UInt64(entries.count))
            try log.append(entries: entries, hardState: state)
            try log.sync()
        } catch {
            throw StoreStartError("\(error)")
        }
        let gone = configuration.members.filter { $0 != identity.member }.map(\.description)
        options.onNotice(.forced("this member is the whole cluster now; removed: \(gone.joined(separator: ", "))"))
    }
}

/// Remembers that a member has been made a cluster of its own, so that a flag that is left standing does it once only:
/// members added since would be thrown out of a cluster that they go on with.
struct ForcedMark {
    private static let file = "FORCED"

    private let root: String
    private let disk: any Disk

    init(in root: String, on disk: any Disk) {
        self.root = root
        self.disk = disk
    }

    func isSet() throws(DiskError) -> Bool { try disk.list(root).contains(Self.file) }

    func set() throws(DiskError) {
        if try isSet() { return }
        _ = try disk.open(root + "/" + Self.file, .new)
        try disk.syncDirectory(root)
    }

    func clear() throws(DiskError) {
        guard try isSet() else { return }
        try disk.remove(root + "/" + Self.file)
        try disk.syncDirectory(root)
    }
}
