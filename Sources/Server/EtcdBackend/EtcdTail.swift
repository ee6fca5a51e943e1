internal import StrakeAuth
internal import StrakeMVCC
internal import StrakeModel
internal import StrakeRaft
package import StrakeStateMachine
package import StrakeTables

/// Why the entries behind an etcd's database cannot be carried out.
package struct EtcdTailError: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Carries out entries of an etcd's log on what its database holds, as its next start would have done.
package struct EtcdTail: ~Copyable {
    /// Bytes of entries after which the changes are written out.
    private static let layerBytesMax = 32 << 20

    private var machine: StateMachine
    private var layerBytes = 0
    /// Who is in the cluster after the entries so far.
    package private(set) var members: EtcdMembers

    /// - Parameter tables: Empty ones, for as long as the outcome is read.
    package init(_ contents: BackendContents, into tables: StoreTables) throws(EtcdTailError) {
        // The members are kept aside: none of them has a part in what the requests come to.
        members = contents.members
        let start = SnapshotMetadata(
            last: EntryID(term: Term(rawValue: 1), index: LogIndex(rawValue: contents.consistentIndex)),
            configuration: SnapshotMetadata.bootstrap(voters: [MemberID(rawValue: 1)]).configuration)
        do {
            var builder = try StateBuilder(into: tables)
            let newest = try Self.feed(contents, to: &builder)
            let revisions = StateBuilder.Revisions(
                newest: newest, compact: contents.compactRevision,
                compacted: min(contents.compacted, contents.compactRevision))
            let isFit = try builder.finish(
                start, members: [], leases: contents.leases, alarms: contents.alarms, auth: contents.auth,
                revisions: revisions)
            guard isFit else { throw EtcdTailError("the database's revisions do not fit") }
            machine = try StateMachine(tables: tables, founding: start)
        } catch {
            throw EtcdTailError("\(error)")
        }
    }

    private static func feed(_ contents: BackendContents, to builder: inout StateBuilder) throws -> Int64 {
        // A new store's revision is 1.
        var newest = max(1, contents.compactRevision)
        var failure: (any Error)?
        try contents.forEachEvent { event in
            newest = max(newest, event.revision.main)
            if event.keyValue.key.isEmpty { return true }
            do {
                if try builder.append(event) { return true }
                failure = EtcdTailError("the event at revision \(event.revision) is out of order")
            } catch {
                failure = error
            }
            return false
        }
        if let failure { throw failure }
        return newest
    }

    /// Carries out the next entry.
    ///
    /// - Returns: False for one that changes no key, lease or alarm.
    package mutating func apply(
        _ data: UnsafeRawBufferPointer, _ kind: EtcdLog.Item.Kind, index: UInt64
    ) throws(EtcdTailError) -> Bool {
        switch kind {
        case .request: return try apply(data, index: index)
        case .memberChange:
            guard members.apply(data) else {
                throw EtcdTailError("entry \(index) of the log: it changes the members, and cannot be read")
            }
            return false
        case .other: throw EtcdTailError("entry \(index) of the log: it is of a kind that is not known")
        }
    }

    private mutating func apply(_ data: UnsafeRawBufferPointer, index: UInt64) throws(EtcdTailError) -> Bool {
        do {
            let (command, asker): (Command, RequestIdentity?)
            switch try EtcdRequest(entry: data) {
            case .command(let found, let user): (command, asker) = (found, user)
            case .attributes(let member, let name, let clientURLs):
                members.setAttributes(of: member, name: name, clientURLs: clientURLs)
                return false
            case .nothing: return false
            }
            guard let identity = admitted(command, by: asker) else { return false }
            let id = EntryID(term: machine.applied.term, index: machine.applied.index + 1)
            let entry = ProposedCommand(id: ProposalID(rawValue: index), as: identity, command: command).encoded()
            // What etcd refused is refused again, and both change nothing.
            _ = try machine.apply(Entry(id: id, kind: .command, data: entry))
            machine.store.publish()
            layerBytes += data.count
            if layerBytes >= Self.layerBytesMax { try writeOut() }
            return true
        } catch {
            throw EtcdTailError("entry \(index) of the log: \(error)")
        }
    }

    /// Who carries it out; nil: etcd refused it. What some version of etcd takes is taken, lest what it acknowledged is lost:
    /// none checks who compacts, grants a lease or sets an alarm once that is in the log, and of a transaction those up to 3.5
    /// look at the keys of its own steps alone, and not at previous values, leases or nested transactions.
    private func admitted(_ command: Command, by asker: RequestIdentity?) -> RequestIdentity?? {
        let anybody = RequestIdentity(user: .root, authRevision: .max)
        guard machine.auth.isEnabled else { return .some(nil) }
        switch command {
        case .compact, .leaseGrant, .alarm: return anybody
        case .txn(let txn):
            let isAdmitted: Void? = try? machine.auth.requireTxn(txn.oldest, by: asker) { _ in [] }
            return isAdmitted == nil ? nil : anybody
        default: return .some(asker)
        }
    }

    private mutating func writeOut() throws {
        layerBytes = 0
        guard let work = machine.freeze() else { return }
        _ = try work.run()
        machine.store.finish(work)
    }

    /// The state that all this comes to.
    package func backup() -> StateBackup { machine.backup() }
}

extension TxnRequest {
    /// With what the oldest etcd looks at alone.
    fileprivate var oldest: TxnRequest {
        TxnRequest(
            compare: compare, success: success.compactMap { $0.oldest }, failure: failure.compactMap { $0.oldest })
    }
}

extension RequestOp {
    fileprivate var oldest: RequestOp? {
        switch self {
        case .range: return self
        case .put(var put):
            (put.lease, put.wantsPrevious) = (.none, false)
            return .put(put)
        case .deleteRange(var delete):
            delete.wantsPrevious = false
            return .deleteRange(delete)
        case .txn: return nil
        }
    }
}
