package import StrakeModel

/// The leases that exist, as part of the replicated state: the same commands give the same leases on every member.
package struct Lessor: Sendable {
    private var leases: [LeaseID: Lease] = [:]
    /// Granted, checkpointed or revoked since the store last asked.
    private var changed: Set<LeaseID> = []
    /// Of the set of leases: the sum of theirs.
    package private(set) var digest: UInt64 = 0

    package init() {}

    /// From the store's records.
    package init(restoring leases: some Sequence<Lease>) {
        for lease in leases {
            precondition(self.leases[lease.id] == nil, "two records of lease \(lease.id.rawValue)")
            self.leases[lease.id] = lease
            digest &+= lease.digest
        }
    }

    package var count: Int { leases.count }

    package func contains(_ id: LeaseID) -> Bool { leases[id] != nil }

    package func lease(_ id: LeaseID) -> Lease? { leases[id] }

    /// All leases by id.
    package var all: [Lease] { leases.values.sorted { $0.id < $1.id } }

    package mutating func grant(_ id: LeaseID, ttl: Int64) throws(StoreError) {
        // As in etcd: zero means "no lease" wherever a lease is named.
        guard id != .none else { throw .leaseNotFound }
        guard ttl <= LeaseTTL.max else { throw .leaseTTLTooLarge }
        guard leases[id] == nil else { throw .leaseExists }
        let lease = Lease(id: id, ttl: max(ttl, 1))
        leases[id] = lease
        digest &+= lease.digest
        changed.insert(id)
    }

    /// Removes a lease. The keys attached to it are the caller's to delete, in the same revision.
    package mutating func revoke(_ id: LeaseID) throws(StoreError) {
        guard let lease = leases.removeValue(forKey: id) else { throw .leaseNotFound }
        digest &-= lease.digest
        changed.insert(id)
    }

    /// Notes what was left of some leases. Those revoked meanwhile are passed over.
    package mutating func checkpoint(_ checkpoints: [LeaseCheckpoint]) {
        for checkpoint in checkpoints {
            guard let lease = leases[checkpoint.id] else { continue }
            let updated = Lease(id: lease.id, ttl: lease.ttl, remaining: checkpoint.remainingSeconds)
            if updated == lease { continue }
            leases[lease.id] = updated
            digest = digest &- lease.digest &+ updated.digest
            changed.insert(lease.id)
        }
    }

    /// What the store has to write since the last call, by id.
    package mutating func takeChanges() -> [LeaseChange] {
        let changes = changed.sorted().map { id in
            leases[id].map(LeaseChange.changed) ?? .removed(id)
        }
        changed = []
        return changes
    }
}

package enum LeaseChange: Hashable, Sendable {
    case changed(Lease)
    case removed(LeaseID)
}
