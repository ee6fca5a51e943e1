package import StrakeModel

extension LeaseClock {
    /// This member leads now, and has applied an entry of its own term. Every lease gets the time that was left at its
    /// last checkpoint and an election timeout, for the keep-alives that found no leader. Also after a restart.
    ///
    /// - Parameter electionTimeout: Milliseconds.
    /// - Complexity: O(n).
    package mutating func promote(now: Int64, electionTimeout: Int64) {
        var deadlines: [DeadlineHeap.Item] = []
        var checkpoints: [DeadlineHeap.Item] = []
        deadlines.reserveCapacity(table.count)
        checkpoints.reserveCapacity(table.count)
        var pileUps = PileUps(perSecond: Self.expiriesPerSecond)
        for entry in table.entries where entry.id != .none {
            pileUps.add(entry.checkpointed * 1_000 + electionTimeout)
        }
        pileUps.level()
        checkpointNumber += 1
        for slot in table.entries.indices where table[slot].id != .none {
            let left = table[slot].checkpointed * 1_000 + electionTimeout
            table[slot].deadline = now + pileUps.place(left)
            table[slot].isExpiring = false
            table[slot].shortened = table[slot].checkpointed < table[slot].ttl ? checkpointNumber : 0
            table[slot].checkpointDue = now + Self.checkpointInterval(ttl: table[slot].ttl)
            deadlines.append(table.item(slot, due: table[slot].deadline))
            if Self.isCheckpointed(ttl: table[slot].ttl) {
                checkpoints.append(table.item(slot, due: table[slot].checkpointDue))
            }
        }
        leadership = Leadership(
            deadlines: DeadlineHeap(deadlines), checkpoints: DeadlineHeap(checkpoints),
            allowance: Self.expiriesPerSecond, allowedAt: now, checkpointedAt: now)
    }

    package mutating func demote() {
        leadership = nil
    }

    // MARK: Checkpoints

    /// Milliseconds from a grant or a checkpoint to the next checkpoint: 5 s, or a hundredth of the TTL up to 5 min
    /// (etcd's interval). A lease that a client keeps alive has none before half of its TTL has gone by, as each costs
    /// the next keep-alive a proposal; clients renew after a third.
    static func checkpointInterval(ttl: Int64) -> Int64 { min(max(5_000, ttl * 10), 300_000) }

    static func checkpointIntervalAfterRenewal(ttl: Int64) -> Int64 {
        max(checkpointInterval(ttl: ttl), min(ttl * 500, 300_000))
    }

    /// Shorter leases are over before their first checkpoint.
    static func isCheckpointed(ttl: Int64) -> Bool { checkpointInterval(ttl: ttl) < ttl * 1_000 }

    /// Leases whose remaining time a new leader should know, for the leader to propose: one batch in a second at most.
    /// With many leases the batches take turns, the longest overdue first.
    package mutating func checkpointsDue(now: Int64, max bound: Int = 1_000) -> [LeaseCheckpoint] {
        guard leadership != nil, now - leadership!.checkpointedAt >= 1_000 else { return [] }
        var batch: [LeaseCheckpoint] = []
        while batch.count < bound, let first = leadership!.checkpoints.first, first.due <= now {
            let slot = Int(first.slot)
            guard table.isCurrent(first) else {
                leadership!.checkpoints.removeFirst()
                continue
            }
            if table[slot].checkpointDue <= now {
                table[slot].checkpointDue = now + Self.checkpointInterval(ttl: table[slot].ttl)
                if let checkpoint = checkpoint(slot, now: now) { batch.append(checkpoint) }
            }
            leadership!.checkpoints.replaceFirst(due: table[slot].checkpointDue)
        }
        if !batch.isEmpty { leadership!.checkpointedAt = now }
        return batch
    }

    /// All leases whose time has moved, in batches to propose before a leader shuts down.
    package mutating func shutdownCheckpoints(now: Int64, batch: Int = 1_000) -> [[LeaseCheckpoint]] {
        guard leadership != nil else { return [] }
        var batches: [[LeaseCheckpoint]] = []
        for slot in table.entries.indices where table[slot].id != .none {
            guard let checkpoint = checkpoint(slot, now: now) else { continue }
            if batches.isEmpty || batches[batches.count - 1].count == batch { batches.append([]) }
            batches[batches.count - 1].append(checkpoint)
        }
        return batches
    }

    /// Nil when the members know no more time than is left.
    private mutating func checkpoint(_ slot: Int, now: Int64) -> LeaseCheckpoint? {
        // Rounded up: a change of leader must never take time away.
        let remaining = (table[slot].deadline - now + 999) / 1_000
        guard !table[slot].isExpiring, remaining > 0, remaining < table[slot].checkpointed else { return nil }
        checkpointNumber += 1
        table[slot].shortened = checkpointNumber
        return LeaseCheckpoint(id: table[slot].id, remainingSeconds: remaining)
    }
}
