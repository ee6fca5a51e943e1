internal import StrakeEtcdWire

/// What the winner of an election holds: its key under the election's name, the key's create revision, and its lease.
public struct LeaderKey: Hashable, Sendable {
    public var name: [UInt8]
    public var key: [UInt8]
    public var revision: Int64
    public var lease: LeaseID

    public init(name: [UInt8], key: [UInt8], revision: Int64, lease: LeaseID) {
        self.name = name
        self.key = key
        self.revision = revision
        self.lease = lease
    }

    init(_ leader: StrakeEtcdWire.LeaderKey) {
        self.init(name: leader.name, key: leader.key, revision: leader.revision, lease: leader.lease)
    }

    var message: StrakeEtcdWire.LeaderKey {
        StrakeEtcdWire.LeaderKey(name: name, key: key, revision: revision, lease: lease)
    }
}

extension StrakeClient {
    /// Waits until the lock `name` is held, and returns the key that stands for holding it: as long as the key exists, the
    /// lock is held. Whoever lets the lease expire loses it.
    ///
    /// A member that is lost meanwhile ends the wait with `unavailable`; the place in the queue lives as long as the lease,
    /// and the same lease gets it again. So does a task that is cancelled: revoke the lease then.
    public func lock(_ name: some ByteConvertible, lease: LeaseID) async throws(StrakeClientError) -> Answer<[UInt8]> {
        var request = LockRequest()
        (request.name, request.lease) = (name.storedBytes, lease)
        return try await call(.lock, request, as: LockResponse.self, isRepeatable: false, patience: .unlimited)
            .map { $0.key }
    }

    /// Gives a lock back.
    ///
    /// - Parameter key: What `lock` returned.
    @discardableResult
    public func unlock(_ key: [UInt8]) async throws(StrakeClientError) -> Header {
        var request = UnlockRequest()
        request.key = key
        return try await call(.unlock, request, as: EmptyResponse.self, isRepeatable: false).header
    }

    /// Waits until elected.
    ///
    /// - Parameters:
    ///   - name: Of the election.
    ///   - value: What the others see of this leader.
    ///   - lease: The leadership ends with it.
    public func campaign(
        _ name: some ByteConvertible, value: some ByteConvertible, lease: LeaseID
    ) async throws(StrakeClientError) -> Answer<LeaderKey> {
        var request = CampaignRequest()
        (request.name, request.value, request.lease) = (name.storedBytes, value.storedBytes, lease)
        return try await call(.campaign, request, as: CampaignResponse.self, isRepeatable: false, patience: .unlimited)
            .map { LeaderKey($0.leader) }
    }

    /// Changes what the others see of this leader.
    ///
    /// - Throws: `failedPrecondition` when it leads no more.
    @discardableResult
    public func proclaim(
        _ value: some ByteConvertible, as leader: LeaderKey
    ) async throws(StrakeClientError) -> Header {
        var request = LeaderKeyRequest()
        (request.leader, request.value) = (leader.message, value.storedBytes)
        return try await call(.proclaim, request, as: EmptyResponse.self, isRepeatable: false).header
    }

    /// Gives the leadership up.
    @discardableResult
    public func resign(_ leader: LeaderKey) async throws(StrakeClientError) -> Header {
        var request = LeaderKeyRequest()
        request.leader = leader.message
        return try await call(.resign, request, as: EmptyResponse.self, isRepeatable: false).header
    }

    /// The leader's key and value now.
    ///
    /// - Throws: When nobody leads.
    public func leader(of name: some ByteConvertible) async throws(StrakeClientError) -> Answer<KeyValue> {
        var request = ElectionRequest()
        request.name = name.storedBytes
        return try await call(.leader, request, as: LeaderResponse.self, isRepeatable: true).map { $0.keyValue }
    }

    /// The leaders as they come, and what they proclaim, from the one that leads now. It ends with an error when the member
    /// is lost.
    public func observe(
        _ name: some ByteConvertible
    ) async throws(StrakeClientError) -> MessageSequence<Answer<KeyValue>> {
        var request = ElectionRequest()
        request.name = name.storedBytes
        return MessageSequence(try await open(.observe, request, token: .new)) { bytes throws(StrakeClientError) in
            try StrakeClient.decode(bytes, as: LeaderResponse.self).map { $0.keyValue }
        }
    }
}
