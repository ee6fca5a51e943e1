internal import StrakeEtcdWire

extension StrakeClient {
    /// Writes a key.
    ///
    /// - Throws: As etcd: `leaseNotFound` for an unknown lease, `resourceExhausted` for a full store. With `wasSent` the
    ///   write may have happened.
    public func put(_ request: PutRequest) async throws(StrakeClientError) -> Answer<PutResponse> {
        try await call(.put, request, as: PutResponse.self, isRepeatable: false)
    }

    /// Writes a key.
    ///
    /// - Parameters:
    ///   - key: Not empty.
    ///   - value: What it holds from now on.
    ///   - lease: The key goes with this lease.
    ///   - wantsPrevious: Answer with what the key was before.
    @discardableResult
    public func put(
        _ key: some ByteConvertible, _ value: some ByteConvertible, lease: LeaseID = .none, wantsPrevious: Bool = false
    ) async throws(StrakeClientError) -> Answer<PutResponse> {
        var request = PutRequest(key: key.storedBytes, value: value.storedBytes, lease: lease)
        request.wantsPrevious = wantsPrevious
        return try await put(request)
    }

    /// Reads a range of keys at one revision. Linearizable unless the request says otherwise.
    ///
    /// - Throws: `isCompacted` or `isFutureRevision` for a revision that is not there.
    public func range(_ request: RangeRequest) async throws(StrakeClientError) -> Answer<RangeResponse> {
        try await call(.range, request, as: RangeResponse.self, isRepeatable: true)
    }

    /// Reads the keys of a range, all of them at once: ask for long ones by `range`, with a limit.
    ///
    /// - Parameters:
    ///   - range: Not empty.
    ///   - revision: 0 reads the newest.
    ///   - isSerializable: Takes what one member has, which may be old, without asking the others.
    public func get(
        _ range: KeyRange, revision: Int64 = 0, isSerializable: Bool = false
    ) async throws(StrakeClientError) -> Answer<RangeResponse> {
        var request = RangeRequest(range: range)
        request.revision = revision
        request.isSerializable = isSerializable
        return try await self.range(request)
    }

    /// Reads a key: its value is `keyValues.first`, which a key that is not there does not have.
    public func get(
        _ key: some ByteConvertible, revision: Int64 = 0, isSerializable: Bool = false
    ) async throws(StrakeClientError) -> Answer<RangeResponse> {
        try await get(.key(key.storedBytes), revision: revision, isSerializable: isSerializable)
    }

    /// Removes every key of a range.
    public func delete(_ request: DeleteRangeRequest) async throws(StrakeClientError) -> Answer<DeleteRangeResponse> {
        try await call(.deleteRange, request, as: DeleteRangeResponse.self, isRepeatable: false)
    }

    /// Removes every key of a range.
    ///
    /// - Parameters:
    ///   - range: Not empty.
    ///   - wantsPrevious: Answer with what was removed.
    @discardableResult
    public func delete(
        _ range: KeyRange, wantsPrevious: Bool = false
    ) async throws(StrakeClientError) -> Answer<DeleteRangeResponse> {
        var request = DeleteRangeRequest(range: range)
        request.wantsPrevious = wantsPrevious
        return try await delete(request)
    }

    /// Removes a key.
    @discardableResult
    public func delete(
        _ key: some ByteConvertible, wantsPrevious: Bool = false
    ) async throws(StrakeClientError) -> Answer<DeleteRangeResponse> {
        try await delete(.key(key.storedBytes), wantsPrevious: wantsPrevious)
    }

    /// Does operations together in one revision. One that can change nothing is a read, and is retried as one.
    public func txn(_ request: TxnRequest) async throws(StrakeClientError) -> Answer<TxnResponse> {
        try await call(.txn, request, as: TxnResponse.self, isRepeatable: request.isReadOnly)
    }

    /// Forgets the history up to `revision`: what was replaced or deleted before it cannot be read any more, and watches
    /// from before it fail.
    ///
    /// - Parameters:
    ///   - revision: At most the newest.
    ///   - isPhysical: Answer only when the space is free.
    @discardableResult
    public func compact(
        through revision: Int64, isPhysical: Bool = false
    ) async throws(StrakeClientError) -> Header {
        let request = CompactionRequest(revision: revision, physical: isPhysical)
        return try await call(.compact, request, as: EmptyResponse.self, isRepeatable: false).header
    }
}
