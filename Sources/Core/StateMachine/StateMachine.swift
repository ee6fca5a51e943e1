package import StrakeLeases
package import StrakeMVCC
package import StrakeModel
package import StrakeRaft
package import StrakeTables

/// What the log's commands build: keys, leases, alarms, members, all moved by one log and checkpointed together.
///
/// Deterministic: the same entries give the same state and the same outcomes on every member. It reads no clock, file
/// size, flag or random number.
package struct StateMachine: ~Copyable {
    package var store: RevisionStore
    package private(set) var lessor: Lessor
    package private(set) var alarms = Alarms()
    /// By id.
    package private(set) var members: [MemberAttributes] = []
    /// Who votes at `applied`.
    package private(set) var configuration: Configuration
    /// The newest entry applied.
    package private(set) var applied: EntryID
    private var changedMembers: Set<UInt64> = []
    private var configurationChanged = false

    /// Opens what the last checkpoint left.
    ///
    /// - Parameter founding: Where a store begins that has applied nothing yet.
    package init(tables: StoreTables, founding: SnapshotMetadata) throws(StateMachineError) {
        let rows = try StateRows(reading: tables)
        store = try Self.open(tables)
        let checkpointed = EntryID(
            term: Term(rawValue: store.appliedTerm), index: LogIndex(rawValue: store.appliedIndex))
        applied = checkpointed == .zero ? founding.last : checkpointed
        lessor = Lessor(restoring: rows.leases)
        for alarm in rows.alarms { alarms.restore(alarm) }
        members = rows.members
        configuration = rows.configuration ?? founding.configuration
        configurationChanged = rows.configuration == nil
    }

    private static func open(_ tables: StoreTables) throws(StateMachineError) -> RevisionStore {
        do throws(MVCCError) {
            return try RevisionStore(tables: tables)
        } catch {
            throw .store(error)
        }
    }

    package var snapshot: SnapshotMetadata { SnapshotMetadata(last: applied, configuration: configuration) }

    /// Applies the next entry.
    ///
    /// - Returns: The outcome of a command; `nil` for entries that are raft's own.
    /// - Throws: Only what makes it unsafe to go on: a command this version does not know, or damage in the store.
    package mutating func apply(_ entry: Entry) throws(StateMachineError) -> Outcome? {
        precondition(
            entry.index == applied.index + 1, "entry \(entry.id) does not follow the applied entry \(applied)")
        defer { applied = entry.id }
        switch entry.kind {
        case .empty:
            return nil
        case .configuration:
            guard let change = ConfigurationChange(decoding: entry.data) else { throw .malformedEntry(entry.id) }
            do throws(ConfigurationError) {
                configuration = try configuration.applying(change)
            } catch {
                throw .malformedEntry(entry.id)
            }
            configurationChanged = true
            return nil
        case .command:
            let proposed: ProposedCommand
            do throws(CommandDecodingError) {
                proposed = try ProposedCommand(decoding: entry.data)
            } catch {
                throw .unknownCommand(entry.id, error)
            }
            do throws(MVCCError) {
                return try apply(proposed.command, term: entry.term)
            } catch {
                switch error {
                case .refused(let reason): return .refused(reason)
                case .storage: throw .store(error)
                }
            }
        }
    }

    /// Stops the active layer and hands out everything that changed since the last checkpoint.
    package mutating func freeze() -> CheckpointWork? {
        guard !store.isCheckpointing else { return nil }
        return store.freeze(
            appliedIndex: applied.index.rawValue, appliedTerm: applied.term.rawValue, stateChanges: takeStateChanges())
    }

    private mutating func apply(_ command: Command, term: Term) throws(MVCCError) -> Outcome {
        if let refusal = refusal(of: command) { return .refused(refusal) }
        // A copy, so that the closures below do not borrow `self` while the store changes.
        let lessor = self.lessor
        switch command {
        case .put(let request):
            return .put(try store.put(request) { lessor.contains($0) }.response)
        case .deleteRange(let request):
            return .deleteRange(try store.delete(request))
        case .txn(let request):
            return .txn(try store.txn(request) { lessor.contains($0) })
        case .compact(let revision, let isPhysical):
            // A store that was never compacted takes revision 0, which forgets nothing (etcd's behaviour).
            if revision != 0 || store.compactRevision != 0 { try store.compact(through: revision) }
            return .compacted(isPhysical: isPhysical)
        case .leaseGrant(let id, let ttlSeconds):
            return refusing { state throws(StoreError) in
                try state.lessor.grant(id, ttl: ttlSeconds)
                return .leaseGranted(id: id, ttlSeconds: ttlSeconds)
            }
        case .leaseRevoke(let id):
            guard lessor.contains(id) else { return .refused(.leaseNotFound) }
            try revoke(id)
            return .leaseRevoked(id)
        case .leaseExpire(let ids, let leaderTerm):
            // A later leader has given the leases new time.
            guard leaderTerm == term.rawValue else { return .leasesExpired([]) }
            let known = ids.filter { lessor.contains($0) }
            for id in known { try revoke(id) }
            return .leasesExpired(known)
        case .leaseCheckpoint(let checkpoints):
            self.lessor.checkpoint(checkpoints)
            return .leasesCheckpointed(checkpoints)
        case .alarm(let command):
            return .alarms(alarms.apply(command))
        case .setMember(let attributes):
            set(attributes)
            return .memberSet
        }
    }

    /// What the raised alarms forbid: CORRUPT everything that touches data, NOSPACE what takes room.
    private func refusal(of command: Command) -> StoreError? {
        switch command {
        case .put, .leaseGrant:
            if alarms.isCorrupt { return .corrupt }
            return alarms.isOutOfSpace ? .noSpace : nil
        case .txn(let request):
            if alarms.isCorrupt, !request.isReadOnly { return .corrupt }
            return alarms.isOutOfSpace && request.takesRoom ? .noSpace : nil
        case .deleteRange, .compact, .leaseRevoke:
            return alarms.isCorrupt ? .corrupt : nil
        case .leaseExpire, .leaseCheckpoint, .alarm, .setMember:
            return nil
        }
    }

    private mutating func refusing(
        _ body: (inout Self) throws(StoreError) -> Outcome
    ) -> Outcome {
        do throws(StoreError) {
            return try body(&self)
        } catch {
            return .refused(error)
        }
    }

    /// All keys of the lease go in one revision, ascending (etcd's rule), then the lease.
    private mutating func revoke(_ id: LeaseID) throws(MVCCError) {
        _ = try store.deleteKeys(attachedTo: [id])
        do throws(StoreError) {
            try lessor.revoke(id)
        } catch {
            preconditionFailure("lease \(id.rawValue) vanished while it was revoked: \(error)")
        }
    }

    private mutating func set(_ attributes: MemberAttributes) {
        if let position = members.firstIndex(where: { $0.id >= attributes.id }) {
            if members[position].id == attributes.id {
                members[position] = attributes
            } else {
                members.insert(attributes, at: position)
            }
        } else {
            members.append(attributes)
        }
        changedMembers.insert(attributes.id)
    }

    private mutating func takeStateChanges() -> [StateChange] {
        var changes: [StateChange] = []
        for change in lessor.takeChanges() {
            switch change {
            case .changed(let lease):
                changes.append(
                    StateChange(key: StateRecords.leaseKey(lease.id), value: LeaseRecord.encode(lease)))
            case .removed(let id):
                changes.append(StateChange(key: StateRecords.leaseKey(id), value: nil))
            }
        }
        for (alarm, isRaised) in alarms.takeChanges() {
            changes.append(StateChange(key: StateRecords.alarmKey(alarm), value: isRaised ? [] : nil))
        }
        for member in members where changedMembers.contains(member.id) {
            changes.append(StateChange(key: StateRecords.memberKey(member.id), value: StateRecords.member(member)))
        }
        changedMembers = []
        if configurationChanged {
            configurationChanged = false
            changes.append(
                StateChange(
                    key: StateRecords.configurationKey, value: StateRecords.configuration(configuration)))
        }
        return changes
    }
}

extension TxnRequest {
    /// A put in either branch, at any depth: what NOSPACE refuses.
    package var takesRoom: Bool {
        (success + failure).contains { op in
            switch op {
            case .put: true
            case .range, .deleteRange: false
            case .txn(let inner): inner.takesRoom
            }
        }
    }
}
