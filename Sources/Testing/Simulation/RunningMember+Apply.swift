internal import StrakeLeases
internal import StrakeMVCC
internal import StrakeModel
internal import StrakeRaft
internal import StrakeReplication
internal import StrakeStateMachine
internal import StrakeTables

// Applying, as the server's apply role does it.
extension RunningMember {
    func submit(_ batch: ApplyBatch) {
        applyQueue.append(batch)
        if applyQueue.count == 1 { planApply() }
    }

    private func planApply() { plan(.applied, after: world.random(20...500)) }

    func finishApplying() {
        let batch = applyQueue[0]
        do throws(StateMachineError) {
            try apply(batch)
        } catch {
            return world.referee.fail(.sameState, "m\(number) cannot apply: \(error)")
        }
        world.storeChecker.applied(machine.digest, at: number)
        applyQueue.removeFirst()
        if !applyQueue.isEmpty { planApply() }
        guard let last = batch.entries.last else { return }
        world.note(
            number, .apply, last.index.rawValue, last.term.rawValue,
            text: "through \(last.id), revision \(machine.store.revision)")
        step { replica, output in
            // The leader's own first entry is applied: everything earlier terms left is too, so leases may run. Ahead of
            // the reads that this lets go.
            if replica.isLeader, replica.node.term == last.term, leadingTerm != last.term {
                leadingTerm = last.term
                let timeout = Int64(world.plan.electionTicks) * world.plan.tickMicroseconds / 1_000
                leases.promote(now: owner.clockMilliseconds, electionTimeout: timeout)
            }
            replica.applied(through: last.index, into: &output)
        }
        if world.plan.flaw == .truncateAheadOfCheckpoint { truncateLog(behind: machine.snapshot) }
    }

    private func apply(_ batch: ApplyBatch) throws(StateMachineError) {
        let before = reader.revision
        var answers: [(RequestOrigin, Outcome, Int64)] = []
        for (entry, origin) in zip(batch.entries, batch.origins) {
            world.raftChecker.applied(entry, at: owner.id)
            if entry.kind == .configuration, entry.index > diskChecker.committed {
                world.referee.fail(
                    .durable,
                    "m\(number) applies the change of members at \(entry.id), its disk knows \(diskChecker.committed)")
            }
            let outcome = try machine.apply(bent(entry))
            let revision = machine.store.revision
            world.storeChecker.applied(entry, revision: revision, at: number)
            if entry.kind == .configuration { membersChanged() }
            guard let outcome else { continue }
            if let name = entry.data.withUnsafeBytes({ ProposedCommand.proposalID(of: $0) }) {
                world.storeChecker.carriedOut(name, outcome, revision: revision)
            }
            note(outcome)
            if let origin { answers.append((origin, outcome, revision)) }
        }
        let published = machine.store.publish()
        let events = published.map(Event.init)
        world.storeChecker.published(events, at: number)
        if reader.revision > before { publish(events, first: before + 1, last: reader.revision) }
        for (origin, outcome, revision) in answers { deliver(outcome, revision: revision, to: origin) }
    }

    /// As it is, but for a bug that was planted.
    private func bent(_ entry: Entry) -> Entry {
        guard world.plan.flaw == .applyByOwnClock, entry.kind == .command, owner.clockMilliseconds % 64 == 0,
            let proposed = try? ProposedCommand(decoding: entry.data), case .put(var put) = proposed.command
        else { return entry }
        put.value.append(0)
        return Entry(id: entry.id, kind: .command, data: Command.put(put).encoded(proposed.id))
    }

    private func note(_ outcome: Outcome) {
        switch outcome {
        case .leaseGranted(let id, _):
            if let lease = machine.lessor.lease(id) { leases.granted(lease, now: owner.clockMilliseconds) }
        case .leaseRevoked(let id): leases.revoked(id)
        case .leasesExpired(let ids):
            for id in ids { leases.revoked(id) }
            if !ids.isEmpty { world.note(number, .expire, UInt64(ids.count), text: "\(ids.map(\.rawValue))") }
            world.leaseChecker.expired(ids, at: world.now)
            world.deeds.add("expiries", ids.count)
        case .leasesCheckpointed(let list): leases.checkpointed(list)
        case .compacted: compactionIsDue = true
        case .memberSet: membersChanged()
        case .put, .deleteRange, .txn, .alarms, .auth, .refused: break
        }
    }
}

extension Event {
    init(_ event: MemoryEvent) {
        self.init(kind: event.header.isTombstone ? .delete : .put, keyValue: event.keyValue)
    }
}
