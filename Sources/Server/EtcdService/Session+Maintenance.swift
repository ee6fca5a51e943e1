internal import NIOCore
internal import NIOPosix
internal import StrakeEtcdWire
internal import StrakeHTTP2
internal import StrakeMVCC
internal import StrakeModel
internal import StrakeStateMachine
internal import StrakeStore

extension Session {
    func receiveAlarm(_ stream: StreamID, _ message: UnsafeRawBufferPointer) throws(WireError) {
        let request = try AlarmRequest(protobuf: message)
        guard let raw = UInt8(exactly: request.action), let action = AlarmCommand.Action(rawValue: raw) else {
            // etcd's process ends here; a request that means nothing is refused instead.
            finish(stream, EtcdStatus(code: .invalidArgument, message: "etcdserver: unknown alarm action"))
            return
        }
        let command = AlarmCommand(action: action, member: request.memberID, alarm: request.alarm)
        propose(.alarm(command), for: stream, takesRoom: false)
    }

    func receiveStatus(_ stream: StreamID, _ message: UnsafeRawBufferPointer) throws(WireError) {
        _ = try EmptyRequest(protobuf: message)
        let status = service.store.status()
        var response = StatusResponse()
        response.version = service.options.version
        // What is still in memory comes into the file with the next checkpoint.
        response.dbSize = Int64(max(status.fileBytes, status.bytesInUse))
        response.dbSizeInUse = Int64(status.bytesInUse)
        response.dbSizeQuota = service.store.options.quotaBytes ?? 0
        response.leader = status.leader
        response.raftIndex = status.committedIndex
        response.raftTerm = status.term
        response.raftAppliedIndex = status.appliedIndex
        response.isLearner = service.store.isLearner
        response.storageVersion = service.options.clusterVersion
        if status.leader == 0 { response.errors.append(EtcdError.noLeader.rawValue) }
        for alarm in status.alarms { response.errors.append(Self.text(of: alarm)) }
        reply(stream, Response(service.header(revision: service.store.reader.revision), response))
    }

    /// How protobuf prints an alarm, which is what etcd puts into the list of errors.
    private static func text(of alarm: AlarmMember) -> String {
        "memberID:\(alarm.member)  alarm:\(name(of: alarm))"
    }

    static func name(of alarm: AlarmMember) -> String {
        switch alarm.alarm {
        case AlarmMember.noSpace: "NOSPACE"
        case AlarmMember.corrupt: "CORRUPT"
        default: String(alarm.alarm)
        }
    }

    /// Pages are used again as they come free, so there is never anything to defragment.
    func receiveDefragment(_ stream: StreamID, _ message: UnsafeRawBufferPointer) throws(WireError) {
        let began = MonotonicClock.nanoseconds
        _ = try EmptyRequest(protobuf: message)
        service.metrics.defragmenting.add(1)
        defer {
            service.metrics.defragmenting.add(-1)
            service.metrics.defragmentations.record(MonotonicClock.nanoseconds - began)
        }
        // etcd's answer carries no header.
        reply(stream, encoded: [])
    }

    func receiveHash(_ stream: StreamID, _ message: UnsafeRawBufferPointer) throws(WireError) {
        _ = try EmptyRequest(protobuf: message)
        compute(stream, service.metrics.hashTimes) { reader throws(MVCCError) in
            HashResponse(hash: try reader.hash())
        }
    }

    func receiveHashKV(_ stream: StreamID, _ message: UnsafeRawBufferPointer) throws(WireError) {
        let revision = try HashKVRequest(protobuf: message).revision
        compute(stream, service.metrics.hashKVTimes) { reader throws(MVCCError) in
            let hash = try reader.hashKV(revision: revision)
            return HashKVResponse(
                hash: hash.hash,
                // etcd's number for a store that was never compacted.
                compactRevision: hash.compactRevision == 0 ? -1 : hash.compactRevision,
                // etcd hashes the newest revision for every number below 1, and gives a negative one back.
                hashRevision: revision < 0 ? revision : hash.hashRevision)
        }
    }

    /// The state as this member has it now, like etcd: a snapshot is of use when there is no leader too.
    func receiveSnapshot(_ stream: StreamID, _ message: UnsafeRawBufferPointer) throws(WireError) {
        _ = try EmptyRequest(protobuf: message)
        let store = service.store
        let answer = LongAnswer(framing: .stream, times: nil, on: stream, of: self)
        streams[stream]?.role = .answer(answer)
        answer.start { () throws(MVCCError) in (nil, SnapshotSource(store)) }
    }

    /// Answers a unary call with what a reader thread works out.
    private func compute<Body: ResponseBody & Sendable>(
        _ stream: StreamID, _ times: Histogram, _ work: @escaping @Sendable (Reader) throws(MVCCError) -> Body
    ) {
        let session = NIOLoopBound(self, eventLoop: loop.eventLoop)
        let (reader, eventLoop) = (service.store.reader, loop.eventLoop)
        service.readers.submit { _ in
            let began = MonotonicClock.nanoseconds
            let result: Result<Body, EtcdStatus>
            do throws(MVCCError) {
                result = .success(try work(reader))
            } catch {
                result = .failure(EtcdStatus(error))
            }
            times.record(MonotonicClock.nanoseconds - began)
            eventLoop.execute { session.value.computed(stream, result) }
        }
    }

    private func computed(_ stream: StreamID, _ result: Result<some ResponseBody, EtcdStatus>) {
        guard streams[stream] != nil else { return }
        switch result {
        case .success(let body):
            reply(stream, Response(service.header(revision: service.store.reader.revision), body))
        case .failure(let status): finish(stream, status)
        }
        loop.touch(self)
        loop.flush()
    }

    // MARK: Cluster

    func receiveMemberList(_ stream: StreamID, _ message: UnsafeRawBufferPointer) throws(WireError) {
        let read = PendingRead(stream: stream, work: .members)
        if try MemberListRequest(protobuf: message).linearizable {
            reads.reads.append(read)
        } else {
            serve(ReadBatch(reads: [read]))
        }
    }

    // MARK: Health

    func receiveHealth(
        _ method: Method, _ stream: StreamID, _ message: UnsafeRawBufferPointer
    ) throws(WireError) {
        let request = try HealthCheckRequest(protobuf: message)
        let isKnown = request.service.isEmpty
        guard isKnown || method == .healthWatch else {
            finish(stream, .unknownHealthService)
            return
        }
        let status: HealthCheckResponse.Status = service.store.isServing ? .serving : .notServing
        let response = HealthCheckResponse(status: isKnown ? status : .serviceUnknown)
        if method == .healthCheck {
            reply(stream, response)
        } else {
            // The status of a member that answers does not change, nor do its services come and go: the stream stays open
            // without more to say.
            send(stream, response)
        }
    }
}
