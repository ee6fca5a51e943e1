package import StrakeModel

/// When leases end: the volatile side of the lessor, on every member.
///
/// Each member tells its clock what is applied; only a leader's, once promoted, lets leases expire. Deadlines lie on
/// the leader's own monotonic clock, which comes in as `now`, in milliseconds. A keep-alive only moves the deadline;
/// the heap finds out when the old one passes.
package struct LeaseClock: Sendable {
    /// What only a leader has.
    struct Leadership: Sendable {
        var deadlines = DeadlineHeap()
        var checkpoints = DeadlineHeap()
        /// Leases gone since the heaps were last cleaned.
        var stale = 0
        /// Expiries that may be proposed now.
        var allowance: Int64
        /// When the allowance was last added to.
        var allowedAt: Int64
        /// When leases were last handed out for a checkpoint.
        var checkpointedAt: Int64
    }

    /// Expiries proposed in a second, at most (etcd's rate). Each deletes keys, in a revision of its own.
    package static let expiriesPerSecond: Int64 = 1_000

    var table = LeaseTable()
    var leadership: Leadership?
    /// Numbers the checkpoints handed out, over all terms.
    var checkpointNumber: UInt64 = 0

    package init(_ leases: some Sequence<Lease>) {
        table.reserve(leases.underestimatedCount)
        for lease in leases { _ = table.add(lease) }
    }

    package var count: Int { table.count }
    package var isLeading: Bool { leadership != nil }

    // MARK: What was applied

    package mutating func granted(_ lease: Lease, now: Int64) {
        let slot = table.add(lease)
        if leadership == nil { return }
        table[slot].deadline = now + lease.ttl * 1_000
        table[slot].checkpointDue = now + Self.checkpointInterval(ttl: lease.ttl)
        leadership!.deadlines.push(table.item(slot, due: table[slot].deadline))
        if Self.isCheckpointed(ttl: lease.ttl) {
            leadership!.checkpoints.push(table.item(slot, due: table[slot].checkpointDue))
        }
    }

    /// Revoked or expired.
    package mutating func revoked(_ id: LeaseID) {
        guard table.remove(id) != nil, leadership != nil else { return }
        leadership!.stale += 1
        // The heaps never hold more items of leases that are gone than of others.
        guard leadership!.stale > 1_024, leadership!.stale > table.count else { return }
        leadership!.deadlines.removeStale { !table.isCurrent($0) }
        leadership!.checkpoints.removeStale { !table.isCurrent($0) }
        leadership!.stale = 0
    }

    package mutating func checkpointed(_ checkpoints: [LeaseCheckpoint]) {
        for checkpoint in checkpoints {
            guard let slot = table.slot(of: checkpoint.id) else { continue }
            table[slot].checkpointed = min(max(checkpoint.remainingSeconds, 0), table[slot].ttl)
            // One that this clock did not hand out: it must be undone by the next keep-alive all the same.
            if table[slot].checkpointed < table[slot].ttl, table[slot].shortened == 0 {
                checkpointNumber += 1
                table[slot].shortened = checkpointNumber
            }
        }
    }

    // MARK: Clients

    package mutating func keepAlive(_ id: LeaseID, now: Int64) -> KeepAlive {
        if leadership == nil { return .notLeading }
        guard let slot = table.slot(of: id), !table[slot].isExpiring, table[slot].deadline > now else {
            return .unknown
        }
        let ttl = table[slot].ttl
        // Never earlier: a new leader may have given it more time.
        table[slot].deadline = max(table[slot].deadline, now + ttl * 1_000)
        table[slot].checkpointDue = now + Self.checkpointIntervalAfterRenewal(ttl: ttl)
        let shortened = table[slot].shortened
        return shortened == 0
            ? .renewed(ttl: ttl) : .renewing(LeaseRenewal(id: id, ttl: ttl, shortened: shortened))
    }

    /// The renewal's checkpoint is in the log for good.
    package mutating func renewalCommitted(_ renewal: LeaseRenewal) {
        // Unless a shorter one was handed out after it.
        guard let slot = table.slot(of: renewal.id), table[slot].shortened == renewal.shortened else { return }
        table[slot].shortened = 0
    }

    /// Milliseconds to the deadline, not above zero once it has passed; nil when there is no such lease or this member
    /// does not lead. (etcd answers whole seconds, rounded down.)
    package func remaining(of id: LeaseID, now: Int64) -> Int64? {
        guard leadership != nil, let slot = table.slot(of: id) else { return nil }
        let left = table[slot].deadline - now
        return table[slot].isExpiring ? min(left, 0) : left
    }

    /// Seconds, as granted; nil when there is no such lease. On every member.
    package func ttl(of id: LeaseID) -> Int64? { table.slot(of: id).map { table[$0].ttl } }

    /// All leases, those that end first in front; by id on a member that does not lead.
    package func idsByDeadline() -> [LeaseID] {
        let leads = isLeading
        return table.entries.filter { $0.id != .none }
            .map { (due: leads ? $0.deadline : 0, id: $0.id) }
            .sorted { $0 < $1 }
            .map(\.id)
    }

    // MARK: Expiry

    /// Leases whose time is up, for the leader to propose their expiry. Each is handed out once, until its proposal
    /// has failed; no more than `expiriesPerSecond`, so that a pile-up does not crowd out clients.
    package mutating func expired(now: Int64, max bound: Int = 1_000) -> [LeaseID] {
        guard leadership != nil else { return [] }
        allow(now: now)
        var ids: [LeaseID] = []
        while let first = leadership!.deadlines.first, first.due <= now {
            let slot = Int(first.slot)
            if !table.isCurrent(first) {
                leadership!.deadlines.removeFirst()
            } else if table[slot].deadline > now {
                leadership!.deadlines.replaceFirst(due: table[slot].deadline)
            } else {
                guard ids.count < bound, leadership!.allowance > 0 else { break }
                leadership!.allowance -= 1
                leadership!.deadlines.removeFirst()
                table[slot].isExpiring = true
                ids.append(table[slot].id)
            }
        }
        return ids
    }

    private mutating func allow(now: Int64) {
        let earned = (now - leadership!.allowedAt) * Self.expiriesPerSecond / 1_000
        if earned <= 0 { return }
        leadership!.allowedAt = now
        leadership!.allowance = min(leadership!.allowance + earned, Self.expiriesPerSecond)
    }

    /// The proposal to expire these was dropped: they are offered again.
    package mutating func expiryFailed(_ ids: [LeaseID]) {
        guard leadership != nil else { return }
        for id in ids {
            guard let slot = table.slot(of: id), table[slot].isExpiring else { continue }
            table[slot].isExpiring = false
            leadership!.deadlines.push(table.item(slot, due: table[slot].deadline))
        }
    }

    /// Times kept, those of leases that are gone included. For tests.
    package var pendingItems: Int {
        (leadership?.deadlines.count ?? 0) + (leadership?.checkpoints.count ?? 0)
    }

    /// No call has anything to do before this time, in milliseconds. Nil: nor after it.
    package var nextWork: Int64? {
        guard let leadership else { return nil }
        guard let deadline = leadership.deadlines.first?.due else { return leadership.checkpoints.first?.due }
        return min(deadline, leadership.checkpoints.first?.due ?? deadline)
    }
}
