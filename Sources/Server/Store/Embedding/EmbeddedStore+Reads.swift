internal import StrakeMVCC
internal import StrakeModel
internal import StrakeReplication

extension EmbeddedStore {
    /// What a read is sure to see.
    public enum Consistency: Hashable, Sendable {
        /// Every change that was acknowledged by any member before the read began. Where there are others it takes a question
        /// to a majority of them, which reads at the same time share.
        case linearizable
        /// What this member has applied: at once, and also while there is no leader, but perhaps older.
        case local
    }

    /// Some keys of a range, at one revision.
    public struct Page: Hashable, Sendable {
        public var keyValues: [KeyValue]
        /// Keys in the whole range, whatever limit and filters have left out.
        public var count: Int64
        /// Main revision that was read at.
        public var revision: Int64
        /// Keys that the request asked for lie beyond this page.
        public var hasMore: Bool
        /// Reads the page after this one, at the same revision; nil when there is none, or the request has another order
        /// than that of keys.
        public var next: RangeRequest?
    }

    /// Reads one key.
    ///
    /// - Parameters:
    ///   - key: Not empty.
    ///   - revision: Main revision to read at; 0: the newest.
    ///   - consistency: Whether a change that another member has acknowledged must be seen.
    /// - Returns: Nil when there is no such key at that revision.
    /// - Throws: `refused` with `compacted` or `futureRevision` for a revision that cannot be read, or with what keeps the
    ///   cluster from answering; `damaged`.
    nonisolated(nonsending) public func get(
        _ key: some ByteConvertible, at revision: Int64 = 0, _ consistency: Consistency = .linearizable
    ) async throws(EmbeddedStoreError) -> KeyValue? {
        let key = key.storedBytes
        guard !key.isEmpty else { throw .refused(.emptyKey) }
        try await awaitReadable(consistency)
        return try view { view throws(MVCCError) in try view.keyValue(key, at: revision) }
    }

    /// Reads keys of a range, up to the request's limit and `Limits.pageBytes` of them.
    ///
    /// Each page counts the whole range: to read much, `scan` is the way. The request's `isSerializable` asks for `local`
    /// consistency.
    ///
    /// - Throws: As `get`; `answerTooLarge` for keys in another order than their own that do not fit on one page.
    /// - Complexity: O(keys in the range); values are read of the page's keys only.
    nonisolated(nonsending) public func range(
        _ request: RangeRequest
    ) async throws(EmbeddedStoreError) -> Page {
        try refusing { () throws(StoreError) in try request.validate() }
        try await awaitReadable(request.isSerializable ? .local : .linearizable)
        let (reader, bytesMax) = (try store.reader, limits.pageBytes)
        return try await readers.read { () throws(EmbeddedStoreError) in
            try Page(request, from: reader, bytesMax: bytesMax)
        }
    }

    /// Reads keys of a range, as `range(_:)` with no more than the range and a limit.
    ///
    /// - Parameters:
    ///   - range: Not empty.
    ///   - limit: Most keys to return; 0: as many as fit on a page.
    ///   - revision: Main revision to read at; 0: the newest.
    nonisolated(nonsending) public func range(
        _ range: KeyRange, limit: Int = 0, at revision: Int64 = 0
    ) async throws(EmbeddedStoreError) -> Page {
        var request = RangeRequest(range: range)
        request.limit = Int64(limit)
        request.revision = revision
        return try await self.range(request)
    }

    /// How many keys a range has.
    nonisolated(nonsending) public func count(
        _ range: KeyRange, at revision: Int64 = 0
    ) async throws(EmbeddedStoreError) -> Int64 {
        var request = RangeRequest(range: range)
        request.revision = revision
        request.countOnly = true
        return try await self.range(request).count
    }

    // MARK: The way of a read

    /// Refuses a read that this member cannot serve.
    func admitRead(isSerializable: Bool) throws(EmbeddedStoreError) {
        let store = try store
        if store.lifecycle.isStopped { throw .refused(.stopped) }
        if store.isQuarantined { throw .refused(.corrupt) }
        if store.isLearner, !isSerializable { throw .refused(.learnerNotSupported) }
    }

    /// Returns when what is applied here is new enough.
    nonisolated(nonsending) func awaitReadable(_ consistency: Consistency) async throws(EmbeddedStoreError) {
        try admitRead(isSerializable: consistency == .local)
        if consistency == .local { return }
        let store = try store
        let (origin, reply) = desk.expectRead()
        if store.read(origin) {
            desk.forget(origin)
        } else {
            try await reply.value()
        }
    }

    /// Reads what is applied, here and now: of single keys only.
    func view<Value>(_ body: (inout ReadView) throws(MVCCError) -> Value) throws(EmbeddedStoreError) -> Value {
        let reader = try store.reader
        do throws(MVCCError) {
            return try reader.withView(body)
        } catch {
            throw EmbeddedStoreError(error)
        }
    }

    nonisolated(nonsending) func readTxn(
        _ request: TxnRequest
    ) async throws(EmbeddedStoreError) -> Revisioned<TxnResponse> {
        try await awaitReadable(request.isSerializable ? .local : .linearizable)
        let store = try store
        let (reader, bytesMax) = (store.reader, limits.txnAnswerBytesMax)
        let read = { @Sendable () throws(EmbeddedStoreError) -> Revisioned<TxnResponse> in
            do throws(MVCCError) {
                return try reader.withView { view throws(MVCCError) in
                    let response = try view.txn(request, bytesMax: bytesMax)
                    return Revisioned(revision: view.revision, response)
                }
            } catch {
                // The request itself was checked: only its answer can be too large.
                throw error == .refused(.requestTooLarge)
                    ? .answerTooLarge(bytesMax: bytesMax) : EmbeddedStoreError(error)
            }
        }
        let response = request.isOnSingleKeys ? try read() : try await readers.read(read)
        store.metrics.recordRead(response.result)
        return response
    }
}

extension EmbeddedStore.Page {
    /// What one view lends at most, so that none is held for long.
    private static let sliceBytes = 256 << 10

    /// On a reader thread.
    init(_ request: RangeRequest, from reader: Reader, bytesMax: Int) throws(EmbeddedStoreError) {
        do throws(MVCCError) {
            try self.init(planning: request, from: reader, bytesMax: bytesMax)
        } catch {
            throw EmbeddedStoreError(error)
        }
        let isInKeyOrder = request.sortTarget == .key && request.sortOrder != .descending
        if hasMore, !isInKeyOrder, request.limit <= 0 || keyValues.count < request.limit {
            throw .answerTooLarge(bytesMax: bytesMax)
        }
        guard hasMore, isInKeyOrder, let last = keyValues.last else { return }
        var next = request
        next.range.lower = last.key + [0]
        next.revision = revision
        self.next = next
    }

    private init(planning request: RangeRequest, from reader: Reader, bytesMax: Int) throws(MVCCError) {
        var plan = try reader.withView { view throws(MVCCError) in try view.plan(request) { _ in 0 } }
        var (keyValues, bytes, isDone): ([KeyValue], Int, Bool) = ([], 0, false)
        while !isDone, bytes < bytesMax {
            let budget = min(Self.sliceBytes, bytesMax - bytes)
            isDone = try reader.withView { view throws(MVCCError) in
                try view.next(&plan, byteBudget: budget) { item in
                    keyValues.append(KeyValue(item))
                    bytes += item.key.count + item.value.count + MemoryLayout<KeyValue>.size
                }
            }
        }
        self.init(
            keyValues: keyValues, count: plan.count, revision: plan.revision, hasMore: !isDone || plan.more, next: nil)
        plan.release()
    }
}

extension KeyValue {
    /// A copy.
    init(_ item: LentKeyValue) {
        self.init(
            key: Array(item.key), createRevision: item.fields.createRevision, modRevision: item.fields.modRevision,
            version: item.fields.version, value: Array(item.value), lease: item.fields.lease)
    }
}
