internal import NIOCore
internal import NIOPosix
internal import StrakeEtcdWire
internal import StrakeHTTP2
internal import StrakeLeases
internal import StrakeMVCC
internal import StrakeModel
internal import StrakeStateMachine
internal import StrakeStore

// Locks, and what elections share with them.
extension Session {
    /// Of a lease that a recipe is granted because its client named none.
    private static let recipeLeaseSeconds: Int64 = 60

    func receiveLock(_ stream: StreamID, _ message: UnsafeRawBufferPointer) throws(WireError) {
        let request = try LockRequest(protobuf: message)
        contend(for: .lock, under: request.name, lease: request.lease, on: stream)
    }

    func receiveUnlock(_ stream: StreamID, _ message: UnsafeRawBufferPointer) throws(WireError) {
        let key = try UnlockRequest(protobuf: message).key
        guard !key.isEmpty else { return finish(stream, EtcdStatus(inRecipe: .emptyKey)) }
        propose(
            .deleteRange(DeleteRangeRequest(range: .key(key))), for: stream, as: .recipeEnd(stream), takesRoom: false)
    }

    // MARK: Contenders

    func contend(for prize: Contender.Prize, under name: [UInt8], lease: LeaseID, on stream: StreamID) {
        streams[stream]?.role = .contender(
            Contender(name: name, lease: lease, prize: prize, at: service.store.reader.revision))
        let options = service.store.options
        let minimum = LeaseTTL.minimum(
            electionTicks: options.electionTicks, tickMilliseconds: options.heartbeatMilliseconds)
        advance(stream) {
            $0.begin(
                newLease: LeaseID(rawValue: .random(in: 1...Int64.max)),
                ttlSeconds: max(Self.recipeLeaseSeconds, minimum))
        }
    }

    /// A command of the contender's has been applied.
    func contenderAnswered(_ stream: StreamID, _ answer: Answer) {
        guard case .contender? = streams[stream]?.role else { return }
        if case .refused(let error) = answer.outcome { return failRecipe(stream, error) }
        let point = Contender.Point(revision: answer.revision, term: answer.term)
        advance(stream) { $0.applied(answer.outcome, at: point) }
        submit()
    }

    /// Reads for a contender, from the state as it is now.
    func look(_ request: RangeRequest, for stream: StreamID) {
        lookUp(request, on: stream) { session, result in
            guard case .contender? = session.streams[stream]?.role else { return }
            switch result {
            case .failure(let error):
                session.withdraw(stream)
                session.finish(stream, EtcdStatus(inRecipe: error))
            case .success(let found):
                let term = session.service.header(revision: found.revision).raftTerm
                let point = Contender.Point(revision: found.revision, term: term)
                session.advance(stream) { $0.found(found.response, at: point) }
            }
            session.submit()
        }
    }

    /// Reads on a reader thread, and goes on here if the call is still there.
    func lookUp(
        _ request: RangeRequest, on stream: StreamID, isChecked: Bool = true,
        _ done: @escaping @Sendable (Session, Result<FoundRange, MVCCError>) -> Void
    ) {
        let permit: ReadPermit
        do throws(MVCCError) {
            permit = try checkedPermit(of: stream)
        } catch {
            return done(self, .failure(error))
        }
        let later = onLoop(stream)
        let reader = service.store.reader
        service.readers.submit { _ in
            let result: Result<FoundRange, MVCCError>
            do throws(MVCCError) {
                result = .success(
                    try reader.withView { view throws(MVCCError) in
                        if isChecked { try permit.read(request.range) }
                        return FoundRange(response: try view.range(request), revision: view.revision)
                    })
            } catch {
                result = .failure(error)
            }
            later { session in done(session, result) }
        }
    }

    /// The key that the contender waits for has gone.
    func keyRemoved(_ stream: StreamID) {
        guard case .contender? = streams[stream]?.role else { return }
        advance(stream) { $0.removed() }
        submit()
        loop.touch(self)
    }

    private func advance(_ stream: StreamID, _ body: (inout Contender) -> Contender.Step) {
        guard let state = streams[stream], case .contender(var contender) = state.role else { return }
        let step = body(&contender)
        streams[stream]?.role = .contender(contender)
        switch step {
        case .propose(let command):
            let takesRoom = if case .txn(let txn) = command { txn.takesRoom } else { true }
            propose(command, for: stream, as: .contender(stream), takesRoom: takesRoom)
        case .read(let request): reads.reads.append(PendingRead(stream: stream, work: .contender(request)))
        case .awaitRemoval(let key, let created): awaitRemoval(of: key, created: created, for: stream)
        case .won(let point): reply(to: contender, at: point, on: stream)
        case .lost(let error): finish(stream, EtcdStatus(error))
        }
    }

    private func reply(to contender: Contender, at point: Contender.Point, on stream: StreamID) {
        let header = service.header(revision: point.revision, term: point.term)
        switch contender.prize {
        case .lock: reply(stream, Response(header, LockResponse(key: contender.key)))
        case .leadership: reply(stream, Response(header, CampaignResponse(leader: contender.leaderKey)))
        case .proclamation: reply(stream, Response(header, EmptyResponse()))
        }
    }

    private func awaitRemoval(of key: [UInt8], created: Int64, for stream: StreamID) {
        loop.waiters.awaitRemoval(of: key, stream, self)
        // What went before this loop listened is not told any more.
        do throws(MVCCError) {
            let now = try service.store.reader.withView { view throws(MVCCError) in
                try view.range(RangeRequest(range: .key(key))).keyValues.first
            }
            guard now?.createRevision != created else { return }
            loop.waiters.forgetRemoval(of: key, stream, self)
            advance(stream) { $0.removed() }
        } catch {
            withdraw(stream)
            finish(stream, EtcdStatus(error))
        }
    }

    // MARK: Ends

    /// The contender goes, and its key with it: those behind it need not wait for its lease to end.
    func withdraw(_ stream: StreamID) {
        guard let state = streams[stream], case .contender(let contender) = state.role else { return }
        if let key = contender.awaitedKey { loop.waiters.forgetRemoval(of: key, stream, self) }
        guard let command = contender.withdrawal else { return }
        // Without a good token any more the key stays until its lease ends.
        let identity: RequestIdentity?
        do throws(StoreError) { identity = try self.identity(of: stream) } catch { return }
        // Behind what this read has asked for already, which may be what it takes back.
        let batch = proposals
        proposals.removeAll(keepingCapacity: true)
        service.store.propose(batch + [(command.encoded(service.store.nextProposalID(), as: identity), nil)])
    }

    /// The store has refused what a recipe asked of it.
    func failRecipe(_ stream: StreamID, _ error: StoreError) {
        guard streams[stream] != nil else { return }
        withdraw(stream)
        finish(stream, EtcdStatus(inRecipe: error))
    }

    /// A command with which a recipe ends has been applied: the answer is a header.
    func recipeEnded(_ stream: StreamID, _ answer: Answer) {
        if case .refused(let error) = answer.outcome { return failRecipe(stream, error) }
        reply(stream, Response(service.header(revision: answer.revision, term: answer.term), EmptyResponse()))
    }
}

/// A range as it was at a revision.
struct FoundRange: Sendable {
    var response: RangeResponse
    var revision: Int64
}
