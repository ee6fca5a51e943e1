internal import StrakeLeases
internal import StrakeMVCC
internal import StrakeModel
internal import StrakeStateMachine

extension EmbeddedStore {
    /// Writes a key.
    ///
    /// Returns once the write is on the disk, of a majority of the members where there are several.
    ///
    /// - Throws: `refused` with `emptyKey`, `leaseNotFound`, `requestTooLarge` (`Limits.requestBytesMax`), `noSpace`
    ///   (`StoreOptions.quotaBytes`), `keyNotFound` where value or lease of a key that is not there are to be kept, or what
    ///   keeps the cluster from answering; see `EmbeddedStoreError.mayHaveHappened`.
    @discardableResult
    nonisolated(nonsending) public func put(
        _ request: PutRequest
    ) async throws(EmbeddedStoreError) -> Revisioned<PutResponse> {
        try refusing { () throws(StoreError) in try request.validate() }
        let answer = try await change(.put(request), takesRoom: true)
        guard case .put(let response) = answer.outcome else { unexpected(answer) }
        return Revisioned(revision: answer.revision, response)
    }

    /// Writes a key, as `put(_:)` does.
    ///
    /// - Parameters:
    ///   - key: Not empty.
    ///   - value: What it holds from now on; with the key at most `Limits.requestBytesMax` bytes.
    ///   - lease: The key is deleted when this lease ends.
    ///   - wantsPrevious: Answer with the key as it was before.
    @discardableResult
    nonisolated(nonsending) public func put(
        _ key: some ByteConvertible, _ value: some ByteConvertible, lease: LeaseID = .none, wantsPrevious: Bool = false
    ) async throws(EmbeddedStoreError) -> Revisioned<PutResponse> {
        var request = PutRequest(key: key.storedBytes, value: value.storedBytes, lease: lease)
        request.wantsPrevious = wantsPrevious
        return try await put(request)
    }

    /// Removes every key of a range, in one revision. Where there is none, the revision stays.
    ///
    /// - Parameters:
    ///   - range: Not empty.
    ///   - wantsPrevious: Answer with all that was removed, which is in memory whole.
    /// - Throws: As `put(_:)`.
    @discardableResult
    nonisolated(nonsending) public func delete(
        _ range: KeyRange, wantsPrevious: Bool = false
    ) async throws(EmbeddedStoreError) -> Revisioned<DeleteRangeResponse> {
        var request = DeleteRangeRequest(range: range)
        request.wantsPrevious = wantsPrevious
        try refusing { () throws(StoreError) in try request.validate() }
        let answer = try await change(.deleteRange(request), takesRoom: false)
        guard case .deleteRange(let response) = answer.outcome else { unexpected(answer) }
        return Revisioned(revision: answer.revision, response)
    }

    /// Removes a key.
    @discardableResult
    nonisolated(nonsending) public func delete(
        _ key: some ByteConvertible, wantsPrevious: Bool = false
    ) async throws(EmbeddedStoreError) -> Revisioned<DeleteRangeResponse> {
        try await delete(.key(key.storedBytes), wantsPrevious: wantsPrevious)
    }

    /// Does all operations of one branch together, in one revision: `success` when every comparison holds, else `failure`.
    ///
    /// One that can change nothing is a read: it takes no place in the log, and no revision.
    ///
    /// - Throws: As `put(_:)`; `refused` with `tooManyOperations` (`Limits.txnOperationsMax`) or `duplicateKey` for a key
    ///   that is changed twice; `answerTooLarge` (`Limits.txnAnswerBytesMax`) for one that only reads,
    ///   `carriedOutUnanswered` for one whose reads came to more than 512 MiB.
    @discardableResult
    nonisolated(nonsending) public func txn(
        _ request: TxnRequest
    ) async throws(EmbeddedStoreError) -> Revisioned<TxnResponse> {
        try refusing { () throws(StoreError) in try request.validate(maxOperations: limits.txnOperationsMax) }
        if request.isReadOnly { return try await readTxn(request) }
        let answer = try await change(.txn(request), takesRoom: request.takesRoom)
        guard case .txn(let response) = answer.outcome else { unexpected(answer) }
        guard !response.isCutShort else { throw .carriedOutUnanswered(bytesMax: RevisionStore.txnAnswerBytesMax) }
        return Revisioned(revision: answer.revision, response)
    }

    /// The same, put together here.
    @discardableResult
    nonisolated(nonsending) public func txn(
        if conditions: [Compare], then success: [RequestOp], else failure: [RequestOp] = []
    ) async throws(EmbeddedStoreError) -> Revisioned<TxnResponse> {
        try await txn(TxnRequest(compare: conditions, success: success, failure: failure))
    }

    /// When an answer to a compaction comes.
    public enum CompactionWait: Hashable, Sendable {
        /// Once older revisions cannot be read any more. Their space is freed afterwards.
        case forRevisions
        /// Once their space can be used again.
        case forSpace
    }

    /// Forgets the history up to `revision`: what was replaced or deleted before it can no longer be read, and watches that
    /// still need it fail. What keys hold now is untouched. Without compaction history grows without end; with
    /// `StoreOptions.autoCompaction` the leader sees to it by itself.
    ///
    /// - Parameters:
    ///   - revision: Main revision, at most the newest.
    ///   - wait: When the call returns.
    /// - Throws: `refused` with `compacted` if already done, `futureRevision` if not reached.
    @discardableResult
    public func compact(
        through revision: Int64, wait: CompactionWait = .forRevisions
    ) async throws(EmbeddedStoreError) -> Int64 {
        let command = Command.compact(revision: revision, physical: wait == .forSpace)
        return try await change(command, takesRoom: false).revision
    }

    // MARK: The way of a change

    /// Puts a command into the log and waits until it is applied.
    nonisolated(nonsending) func change(
        _ command: Command, takesRoom: Bool
    ) async throws(EmbeddedStoreError) -> Answer {
        let store = try store
        if store.isLearner { throw .refused(.learnerNotSupported) }
        let data = command.encoded(store.nextProposalID())
        guard data.count <= limits.requestBytesMax else { throw .refused(.requestTooLarge) }
        if takesRoom, store.isOverQuota {
            raiseNoSpace(store)
            throw .refused(.noSpace)
        }
        // Nothing has happened yet: the caller need not be left in doubt.
        if Task.isCancelled { throw .canceled }
        let (origin, reply) = desk.expectAnswer()
        store.propose([(data, origin)])
        let answer = try await reply.value()
        if case .refused(let reason) = answer.outcome { throw .refused(reason) }
        return answer
    }

    /// The quota is used up: every member is to refuse what takes room until some was made.
    private func raiseNoSpace(_ store: Store) {
        let alarm = AlarmMember(member: store.memberID, alarm: AlarmMember.noSpace)
        guard !store.alarms.contains(alarm) else { return }
        let command = Command.alarm(AlarmCommand(action: .activate, member: alarm.member, alarm: alarm.alarm))
        store.propose([(command.encoded(store.nextProposalID()), nil)])
    }

    func unexpected(_ answer: Answer) -> Never {
        preconditionFailure("entry \(answer.index) was answered with \(answer.outcome)")
    }

    /// Runs a check and turns its refusal into the call's.
    func refusing(_ check: () throws(StoreError) -> Void) throws(EmbeddedStoreError) {
        do throws(StoreError) {
            try check()
        } catch {
            throw .refused(error)
        }
    }
}
