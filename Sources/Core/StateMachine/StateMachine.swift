package import StrakeAuth
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
    package private(set) var auth: AuthStore
    /// Those of the configuration, by id.
    package private(set) var members: [MemberAttributes]
    /// Who votes at `applied`.
    package private(set) var configuration: Configuration
    /// The newest entry applied.
    package private(set) var applied: EntryID
    private var digestMarks = DigestMarks()
    private var changedMembers: Set<UInt64> = []
    private var configurationChanged = false

    /// Opens what the last checkpoint left.
    ///
    /// - Parameters:
    ///   - founding: Where a store begins that no checkpoint was ever written to.
    ///   - foundingMembers: Who its members are; the same on all of them.
    package init(
        tables: StoreTables, founding: SnapshotMetadata, foundingMembers: [MemberAttributes] = []
    ) throws(StateMachineError) {
        let rows = try StateRows(reading: tables)
        store = try Self.open(tables)
        let checkpointed = EntryID(
            term: Term(rawValue: store.appliedTerm), index: LogIndex(rawValue: store.appliedIndex))
        lessor = Lessor(restoring: rows.leases)
        for alarm in rows.alarms { alarms.restore(alarm) }
        auth = rows.auth
        if let stored = rows.configuration {
            applied = checkpointed
            members = rows.members
            configuration = stored
        } else {
            applied = founding.last
            members = foundingMembers.sorted { $0.id < $1.id }
            configuration = founding.configuration
            configurationChanged = true
            changedMembers = Set(members.map(\.id))
        }
    }

    /// The store was opened for the first time: nothing says yet how it began.
    package var isNew: Bool { configurationChanged && store.appliedIndex == 0 }

    private static func open(_ tables: StoreTables) throws(StateMachineError) -> RevisionStore {
        do throws(MVCCError) {
            return try RevisionStore(tables: tables)
        } catch {
            throw .store(error)
        }
    }

    package var snapshot: SnapshotMetadata { SnapshotMetadata(last: applied, configuration: configuration) }

    /// Begins to hand the state over to another member.
    package func writer() -> SnapshotWriter { SnapshotWriter(self) }

    /// Begins to audit the file of the store that the compactor works on.
    package static func audit(
        _ compactor: Compactor, eventsPerLookUp: Int = StoreAudit.eventsPerLookUp
    ) throws(MVCCError) -> StoreAudit {
        try StoreAudit(compactor, eventsPerLookUp: eventsPerLookUp) { StateRecords.leaseKey($0) }
    }

    /// Takes the place of `old` for all readers of its store.
    package mutating func succeed(_ old: borrowing StateMachine) {
        store.succeed(old.store)
    }

    /// Every row of the state table that is the state machine's, as a checkpoint of all would write it.
    func stateRows() -> [StateChange] {
        var rows = lessor.all.map {
            StateChange(key: StateRecords.leaseKey($0.id), value: LeaseRecord.encode($0))
        }
        rows += alarms.raised.map { StateChange(key: StateRecords.alarmKey($0), value: []) }
        rows += members.map { StateChange(key: StateRecords.memberKey($0.id), value: StateRecords.member($0)) }
        rows.append(
            StateChange(key: StateRecords.configurationKey, value: StateRecords.configuration(configuration)))
        return rows + StateRecords.rows(of: auth)
    }

    /// Applies the next entry.
    ///
    /// - Returns: The outcome of a command or of a change of members; `nil` for entries that are raft's own.
    /// - Throws: Only what makes it unsafe to go on: a command this version does not know, or damage in the store.
    package mutating func apply(_ entry: Entry) throws(StateMachineError) -> Outcome? {
        precondition(
            entry.index == applied.index + 1, "entry \(entry.id) does not follow the applied entry \(applied)")
        let outcome = try carryOut(entry)
        applied = entry.id
        if DigestMarks.isMark(applied.index) { digestMarks.add(digest) }
        return outcome
    }

    private mutating func carryOut(_ entry: Entry) throws(StateMachineError) -> Outcome? {
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
            return try applyMembers(of: change, in: entry)
        case .command:
            let proposed: ProposedCommand
            do throws(CommandDecodingError) {
                proposed = try ProposedCommand(decoding: entry.data)
            } catch {
                throw .unknownCommand(entry.id, error)
            }
            do throws(MVCCError) {
                return try apply(proposed, term: entry.term)
            } catch {
                switch error {
                case .refused(let reason): return .refused(reason)
                case .storage: throw .store(error)
                }
            }
        }
    }

    /// What other members' digests can be compared with, by ascending index; the last is that of now.
    package var digests: [StateDigest] { digestMarks.all(through: digest) }

    /// Stops the active layer and hands out everything that changed since the last checkpoint.
    package mutating func freeze() -> CheckpointWork? {
        guard !store.isCheckpointing else { return nil }
        return store.freeze(
            appliedIndex: applied.index.rawValue, appliedTerm: applied.term.rawValue, stateChanges: takeStateChanges())
    }

    private mutating func apply(_ proposed: ProposedCommand, term: Term) throws(MVCCError) -> Outcome {
        let command = proposed.command
        // Alarms come first, as in etcd.
        if let refusal = refusal(of: command) { return .refused(refusal) }
        if auth.isEnabled, let denial = try denial(of: command, for: proposed.identity) { return .refused(denial) }
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
            publish(attributes)
            return .memberSet
        case .auth(let command):
            return refusing { state throws(StoreError) in
                try state.auth.apply(command)
                return .auth(command)
            }
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
        case .leaseExpire, .leaseCheckpoint, .alarm, .setMember, .auth:
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

    mutating func setMembers(_ members: [MemberAttributes], changed id: UInt64) {
        self.members = members
        changedMembers.insert(id)
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
        for id in changedMembers.sorted() {
            let member = members.first { $0.id == id }
            changes.append(StateChange(key: StateRecords.memberKey(id), value: member.map(StateRecords.member)))
        }
        changedMembers = []
        changes += StateRecords.rows(of: auth.takeChanges(), in: auth)
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
