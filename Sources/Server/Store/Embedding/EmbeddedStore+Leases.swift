internal import StrakeLeases
internal import StrakeMVCC
internal import StrakeModel
internal import StrakeStateMachine

extension EmbeddedStore {
    /// A lease as it was granted or renewed.
    public struct GrantedLease: Hashable, Sendable {
        public var id: LeaseID
        /// Seconds that it lives from now on.
        public var ttlSeconds: Int64
    }

    /// What is left of a lease.
    public struct LeaseStatus: Hashable, Sendable {
        public var id: LeaseID
        /// As granted, and as each renewal gives it again.
        public var grantedSeconds: Int64
        /// By the leader's clock.
        public var remainingMilliseconds: Int64
        /// The keys that end with it, in order, if they were asked for.
        public var keys: [[UInt8]]
    }

    /// Grants a lease: keys that are put with it are deleted when it ends.
    ///
    /// - Parameters:
    ///   - ttlSeconds: At most 9,000,000,000. What is shorter than one and a half election timeouts is raised to that.
    ///   - id: `.none`: one is chosen.
    /// - Throws: `refused` with `leaseTTLTooLarge`, `leaseExists`, `noSpace`, or what keeps the cluster from answering.
    nonisolated(nonsending) public func grantLease(
        ttlSeconds: Int64, id: LeaseID = .none
    ) async throws(EmbeddedStoreError) -> GrantedLease {
        let options = try store.options
        let minimum = LeaseTTL.minimum(
            electionTicks: options.electionTicks, tickMilliseconds: options.heartbeatMilliseconds)
        var granted: Int64 = 0
        try refusing { () throws(StoreError) in
            granted = try LeaseTTL.granted(requested: ttlSeconds, minimum: minimum)
        }
        // An id chosen here travels in the command, so that every member grants the same one.
        let chosen = id == .none ? LeaseID(rawValue: .random(in: 1...Int64.max)) : id
        let answer = try await change(.leaseGrant(id: chosen, ttlSeconds: granted), takesRoom: true)
        guard case .leaseGranted(_, let seconds) = answer.outcome else { unexpected(answer) }
        return GrantedLease(id: chosen, ttlSeconds: seconds)
    }

    /// Gives a lease its whole time again. Costs no place in the log.
    ///
    /// - Throws: `refused` with `leaseNotFound` when there is no such lease any more.
    @discardableResult
    public func keepAlive(_ id: LeaseID) async throws(EmbeddedStoreError) -> GrantedLease {
        let store = try store
        let seconds = try await desk.ask { store.keepAlive(id, answer: $0) }
        guard seconds > 0 else { throw .refused(.leaseNotFound) }
        return GrantedLease(id: id, ttlSeconds: seconds)
    }

    /// Ends a lease, and deletes its keys in one revision.
    ///
    /// - Throws: `refused` with `leaseNotFound`.
    @discardableResult
    nonisolated(nonsending) public func revokeLease(_ id: LeaseID) async throws(EmbeddedStoreError) -> Int64 {
        try await change(.leaseRevoke(id), takesRoom: false).revision
    }

    /// What is left of a lease.
    ///
    /// - Parameters:
    ///   - id: As it was granted.
    ///   - wantsKeys: Answer with its keys too, which are in memory whole.
    /// - Returns: Nil when there is no such lease.
    public func lease(_ id: LeaseID, wantsKeys: Bool = false) async throws(EmbeddedStoreError) -> LeaseStatus? {
        try await awaitReadable(.linearizable)
        let store = try store
        guard let remaining = try await desk.ask({ store.remaining(of: id, answer: $0) }),
            let granted = store.ttl(of: id)
        else {
            return nil
        }
        var keys: [[UInt8]] = []
        if wantsKeys {
            let reader = store.reader
            keys = try await readers.read { () throws(EmbeddedStoreError) in
                do throws(MVCCError) {
                    return try reader.withView { view throws(MVCCError) in try view.keys(attachedTo: id) }
                } catch {
                    throw EmbeddedStoreError(error)
                }
            }
        }
        return LeaseStatus(id: id, grantedSeconds: granted, remainingMilliseconds: remaining, keys: keys)
    }

    /// All leases there are, those that end first in front as far as this member knows.
    public func leases() async throws(EmbeddedStoreError) -> [LeaseID] {
        try await awaitReadable(.linearizable)
        return try store.leaseIDs
    }

    /// Grants a lease, keeps it alive while the body runs, and revokes it: keys put with it are there as long as the body
    /// runs, and no longer than the lease's time if this process dies.
    ///
    /// When the lease cannot be kept alive in time the body's task is canceled, and the call fails with the reason, unless
    /// the body throws an error of its own then.
    ///
    /// - Throws: What granting throws, or the body.
    public func withLease<Value: Sendable>(
        ttlSeconds: Int64, _ body: @escaping @Sendable (LeaseID) async throws -> Value
    ) async throws -> Value {
        let lease = try await grantLease(ttlSeconds: ttlSeconds)
        do {
            let value = try await withThrowingTaskGroup(of: Value?.self) { group in
                group.addTask { try await body(lease.id) }
                group.addTask {
                    try await self.keepAliveForever(lease)
                    return nil
                }
                defer { group.cancelAll() }
                // The keeper never ends by itself but with an error.
                while let ended = try await group.next() {
                    if let value = ended { return value }
                }
                throw EmbeddedStoreError.canceled
            }
            try await endLease(lease.id)
            return value
        } catch {
            try? await endLease(lease.id)
            throw error
        }
    }

    /// Renews it three times in its time; one renewal may fail as long as there is time for another.
    private func keepAliveForever(_ lease: GrantedLease) async throws {
        let clock = ContinuousClock()
        var deadline = clock.now + .seconds(lease.ttlSeconds)
        while !Task.isCancelled {
            try await Task.sleep(for: .milliseconds(max(1, lease.ttlSeconds * 1_000 / 3)), clock: clock)
            do throws(EmbeddedStoreError) {
                let asked = clock.now
                deadline = asked + .seconds(try await keepAlive(lease.id).ttlSeconds)
            } catch {
                if error == .refused(.leaseNotFound) || error == .refused(.stopped) || clock.now >= deadline {
                    throw error
                }
            }
        }
    }

    /// Also for a task that was canceled, and for a lease that has ended by itself.
    private func endLease(_ id: LeaseID) async throws(EmbeddedStoreError) {
        let ended = await Task { () -> EmbeddedStoreError? in
            do throws(EmbeddedStoreError) {
                try await revokeLease(id)
                return nil
            } catch {
                return error
            }
        }.value
        if let ended, ended != .refused(.leaseNotFound) { throw ended }
    }
}
