internal import StrakeEtcdWire
internal import StrakeHTTP2
internal import StrakeLeases
internal import StrakeMVCC
internal import StrakeModel
internal import StrakeStateMachine
internal import StrakeStore

extension Session {
    func receiveRange(
        _ method: Method, _ stream: StreamID, _ message: UnsafeRawBufferPointer
    ) throws(WireError) {
        let request = try RangeRequest(protobuf: message)
        if service.store.isLearner, !request.isSerializable { throw .refused(.learnerNotSupported) }
        try refusing { () throws(StoreError) in try request.validate() }
        if method == .rangeStream, let refusal = request.rangeStreamRefusal {
            finish(stream, refusal)
            return
        }
        let read = PendingRead(
            stream: stream, work: method == .range ? .range(request) : .rangeStream(request))
        if request.isSerializable {
            serve(ReadBatch(reads: [read]))
        } else {
            reads.reads.append(read)
        }
    }

    func receivePut(_ stream: StreamID, _ message: UnsafeRawBufferPointer) throws(WireError) {
        let request = try PutRequest(protobuf: message)
        try refusing { () throws(StoreError) in try request.validate() }
        propose(.put(request), for: stream, takesRoom: true)
    }

    func receiveDeleteRange(_ stream: StreamID, _ message: UnsafeRawBufferPointer) throws(WireError) {
        let request = try DeleteRangeRequest(protobuf: message)
        try refusing { () throws(StoreError) in try request.validate() }
        propose(.deleteRange(request), for: stream, takesRoom: false)
    }

    func receiveTxn(_ stream: StreamID, _ message: UnsafeRawBufferPointer) throws(WireError) {
        let maximum = service.options.txnOperationsMax
        let request = try TxnRequest(protobuf: message, maxOperations: maximum)
        try refusing { () throws(StoreError) in try request.validate(maxOperations: maximum) }
        guard request.isReadOnly else {
            propose(.txn(request), for: stream, takesRoom: request.takesRoom)
            return
        }
        // No entry, so no alarm refuses it either (etcd's rule).
        let read = PendingRead(stream: stream, work: .txn(request))
        if request.isSerializable {
            serve(ReadBatch(reads: [read]))
        } else {
            reads.reads.append(read)
        }
    }

    func receiveCompact(_ stream: StreamID, _ message: UnsafeRawBufferPointer) throws(WireError) {
        let request = try CompactionRequest(protobuf: message)
        propose(.compact(revision: request.revision, physical: request.physical), for: stream, takesRoom: false)
    }

    /// Queues a command for the end of this turn.
    ///
    /// - Parameter takesRoom: The command may make the store larger, so the quota is asked first.
    func propose(_ command: Command, for stream: StreamID, as pending: PendingCall? = nil, takesRoom: Bool) {
        var identity: RequestIdentity?
        do throws(StoreError) {
            identity = try self.identity(of: stream)
        } catch {
            refuse(pending ?? .unary(stream), error)
            return
        }
        // The state machine would refuse it as well, but by an entry: who is nobody must not fill the log.
        if identity == nil, auth.isEnabled { return refuse(pending ?? .unary(stream), .userEmpty) }
        // Without a name it would pass for the members' own. There may be users of whom this member has not heard yet.
        if identity == nil, case .alarm = command { identity = .nobody }
        let data = command.encoded(service.store.nextProposalID(), as: identity)
        guard data.count <= service.options.requestBytesMax else {
            refuse(pending ?? .unary(stream), .requestTooLarge)
            return
        }
        if takesRoom, service.store.isOverQuota {
            raiseNoSpace()
            refuse(pending ?? .unary(stream), .noSpace)
            return
        }
        let call = calls.add(pending ?? .unary(stream))
        proposals.append((data, origin(of: call)))
    }

    /// The quota is used up: every member is to refuse what takes room until an operator has made some.
    private func raiseNoSpace() {
        let member = service.store.memberID
        let alarm = AlarmMember(member: member, alarm: AlarmMember.noSpace)
        guard !service.store.alarms.contains(alarm) else { return }
        let command = Command.alarm(AlarmCommand(action: .activate, member: member, alarm: AlarmMember.noSpace))
        proposals.append((command.encoded(service.store.nextProposalID()), origin(of: calls.add(.internalAlarm))))
    }

    /// The state machine has answered.
    func answered(_ call: UInt32, _ answer: Answer) {
        guard let pending = calls.remove(call) else { return }
        loop.touch(self)
        let stream: StreamID
        switch pending {
        case .unary(let unary): stream = unary
        case .contender(let stream): return contenderAnswered(stream, answer)
        case .recipeEnd(let stream): return recipeEnded(stream, answer)
        case .renewal(let keepAlive, let renewal):
            service.store.renewalCommitted(renewal)
            let header = service.header(revision: answer.revision, term: answer.term)
            answerKeepAlive(keepAlive, header, renewal.id, ttlSeconds: renewal.ttl)
            return
        case .authentication(let attempt): return authenticated(attempt, answer)
        case .read, .internalAlarm: return
        }
        guard streams[stream] != nil else { return }
        let header = service.header(revision: answer.revision, term: answer.term)
        switch answer.outcome {
        case .put(let response): reply(stream, Response(header, response))
        case .deleteRange(let response): reply(stream, Response(header, response))
        case .txn(let response):
            guard !response.isCutShort else {
                return finish(
                    stream,
                    EtcdStatus(
                        code: .resourceExhausted,
                        message: "the transaction was carried out; its answer would be larger than "
                            + "\(ServiceOptions.txnAnswerBytesMax) bytes"))
            }
            reply(stream, Response(header, response))
        case .compacted, .leaseRevoked, .leasesExpired, .leasesCheckpointed, .memberSet, .auth:
            reply(stream, Response(header, EmptyResponse()))
        case .leaseGranted(let id, let ttl):
            reply(stream, Response(header, LeaseGrantResponse(id: id, ttlSeconds: ttl)))
        case .alarms(let alarms):
            reply(
                stream,
                Response(header, AlarmResponse(alarms: alarms.map { .init(memberID: $0.member, alarm: $0.alarm) })))
        case .refused(let error): refuse(stream, error)
        }
    }

    /// The command never reached the state machine.
    func refuse(_ pending: PendingCall, _ error: StoreError) {
        switch pending {
        case .unary(let stream): if streams[stream] != nil { refuse(stream, error) }
        case .contender(let stream), .recipeEnd(let stream): failRecipe(stream, error)
        // It is the next leader's to say for how long, by its own clock.
        case .renewal(let stream, let renewal) where error == .leaderChanged:
            if streams[stream] != nil { askLeaderToKeepAlive(renewal.id, on: stream) }
        case .renewal(let stream, _): if streams[stream] != nil { refuse(stream, error) }
        case .authentication(let attempt): if streams[attempt.stream] != nil { refuse(attempt.stream, error) }
        case .read, .internalAlarm: break
        }
    }

    /// Runs a check and turns its refusal into the wire's error.
    func refusing(_ body: () throws(StoreError) -> Void) throws(WireError) {
        do throws(StoreError) {
            try body()
        } catch {
            throw .refused(error)
        }
    }
}

extension RangeRequest {
    /// Why `RangeStream` does not serve this; without an order the sort target means nothing.
    var rangeStreamRefusal: EtcdStatus? {
        if !isInKeyOrder { return .rangeStreamSortOrder }
        return hasRevisionFilter ? .rangeStreamRevisionFilter : nil
    }
}
