internal import NIOPosix
internal import StrakeAuth
internal import StrakeEtcdWire
internal import StrakeHTTP2
internal import StrakeLeases
internal import StrakeMVCC
internal import StrakeModel
internal import StrakeReplication
internal import StrakeStore

extension Session {
    /// Answers reads from the state as it is now. Single keys are read here, all from one view; ranges go to a reader
    /// thread, since a cold page would stall every connection of the loop.
    func serve(_ batch: ReadBatch) {
        var points: [(stream: StreamID, request: RangeRequest)] = []
        var txns: [(stream: StreamID, request: TxnRequest)] = []
        for read in batch.reads where streams[read.stream] != nil {
            switch read.work {
            case .range(let request):
                if request.range.isSingle {
                    points.append((read.stream, request))
                } else {
                    answer(request, .unary, on: read.stream)
                }
            case .rangeStream(let request): answer(request, .stream, on: read.stream)
            case .txn(let request):
                if request.isOnSingleKeys {
                    txns.append((read.stream, request))
                } else {
                    answer(request, on: read.stream)
                }
            case .timeToLive(let lease, let withKeys): answerTimeToLive(lease, withKeys: withKeys, on: read.stream)
            case .leases: answerLeases(on: read.stream)
            case .members: answerMembers(on: read.stream)
            case .contender(let request): look(request, for: read.stream)
            case .electionLeader(let name): answerElectionLeader(name, on: read.stream)
            case .observer: lookForLeader(read.stream, isFirst: true)
            case .auth(let question): answer(question, on: read.stream)
            }
        }
        if !batch.keepAlives.isEmpty { answer(batch.keepAlives) }
        if !points.isEmpty { answer(points) }
        if !txns.isEmpty { answer(txns) }
    }

    /// The reads share the time that all of them took evenly: two looks at the clock, however many they are.
    private func answer(_ points: [(stream: StreamID, request: RangeRequest)]) {
        let began = MonotonicClock.nanoseconds
        var failures = 0
        service.store.reader.withView { view in
            for (stream, request) in points {
                do throws(MVCCError) {
                    if auth.isEnabled { try checkedPermit(of: stream).read(request.range) }
                    let response = try view.range(request)
                    reply(stream, Response(service.header(revision: view.revision), response))
                } catch {
                    failures += 1
                    finish(stream, EtcdStatus(error))
                }
            }
        }
        let share = (MonotonicClock.nanoseconds - began) / UInt64(points.count)
        let times = service.metrics.rangeTimes
        if failures < points.count { times.succeeded.record(share, times: UInt64(points.count - failures)) }
        if failures > 0 { times.failed.record(share, times: UInt64(failures)) }
    }

    private func answer(_ txns: [(stream: StreamID, request: TxnRequest)]) {
        service.store.reader.withView { view in
            for (stream, request) in txns {
                do throws(MVCCError) {
                    if auth.isEnabled { try checkedPermit(of: stream).read(request) }
                    reply(stream, try service.answer(request, from: &view))
                } catch {
                    finish(stream, EtcdStatus(error))
                }
            }
        }
    }

    private func answer(_ request: RangeRequest, _ framing: AnswerFraming, on stream: StreamID) {
        let service = service
        guard let permit = permitOrRefusal(of: stream) else { return }
        let answer = LongAnswer(framing: framing, times: service.metrics.rangeTimes, on: stream, of: self)
        streams[stream]?.role = .answer(answer)
        answer.start { () throws(MVCCError) in
            // Ahead of the work, and again once it is settled what is seen.
            try permit.read(request.range)
            let source = try RangeSource(request, framing: framing, service: service)
            try permit.read(request.range)
            return (try source.next(), source)
        }
    }

    private func answer(_ request: TxnRequest, on stream: StreamID) {
        let service = service
        guard let permit = permitOrRefusal(of: stream) else { return }
        let answer = LongAnswer(framing: .unary, times: nil, on: stream, of: self)
        streams[stream]?.role = .answer(answer)
        answer.start { () throws(MVCCError) in
            let response = try service.store.reader.withView { view throws(MVCCError) in
                try permit.read(request)
                return try service.answer(request, from: &view)
            }
            return (LongAnswer.Piece(message: response.encoded()), nil)
        }
    }

    /// A unary answer whose message is already encoded.
    func reply(_ stream: StreamID, encoded message: [UInt8]) {
        closeCall(stream, .ok)
        _ = message.withUnsafeBytes { engine.sendReply(stream, $0) }
        loop.touch(self)
    }

    // MARK: Leases

    func receiveGrant(_ stream: StreamID, _ message: UnsafeRawBufferPointer) throws(WireError) {
        let request = try LeaseGrantRequest(protobuf: message)
        let options = service.store.options
        let minimum = LeaseTTL.minimum(
            electionTicks: options.electionTicks, tickMilliseconds: options.heartbeatMilliseconds)
        var ttl: Int64 = 0
        try refusing { () throws(StoreError) in
            ttl = try LeaseTTL.granted(requested: request.ttlSeconds, minimum: minimum)
        }
        // An id chosen here travels in the command, so that every member grants the same one.
        let id = request.id == .none ? LeaseID(rawValue: .random(in: 1...Int64.max)) : request.id
        propose(.leaseGrant(id: id, ttlSeconds: ttl), for: stream, takesRoom: true)
    }

    func receiveRevoke(_ stream: StreamID, _ message: UnsafeRawBufferPointer) throws(WireError) {
        propose(.leaseRevoke(try LeaseRevokeRequest(protobuf: message).id), for: stream, takesRoom: false)
    }

    /// All keep-alives of a turn, at one time and under one lock.
    private func answer(_ keepAlives: [(stream: StreamID, lease: LeaseID)]) {
        // Who may not is refused before anything is renewed.
        let keepAlives = auth.isEnabled ? permitted(keepAlives) : keepAlives
        let header = service.header(revision: service.store.reader.revision)
        let (answers, term) = service.store.keepAlive(keepAlives.map(\.lease))
        for ((stream, lease), answer) in zip(keepAlives, answers) where streams.contains(stream) {
            switch answer {
            case .renewed(let ttl): answerKeepAlive(stream, header, lease, ttlSeconds: ttl)
            case .unknown: answerKeepAlive(stream, header, lease, ttlSeconds: 0)
            case .renewing(let renewal):
                // A lease checkpoint has shortened what the next leader would grant: the answer waits until that is
                // undone.
                let call = calls.add(.renewal(stream, renewal))
                service.store.propose(renewal, leadingIn: term, origin(of: call))
            case .notLeading: askLeaderToKeepAlive(lease, on: stream)
            }
        }
        service.metrics.leaseRenewals.add(keepAlives.count)
    }

    private func permitted(
        _ keepAlives: [(stream: StreamID, lease: LeaseID)]
    ) -> [(stream: StreamID, lease: LeaseID)] {
        keepAlives.filter { stream, lease in
            guard streams.contains(stream) else { return false }
            guard let denial = keepAliveDenial(of: lease, stream) else { return true }
            refuse(stream, denial)
            return false
        }
    }

    private func answerTimeToLive(_ lease: LeaseID, withKeys: Bool, on stream: StreamID) {
        let isKnown = service.store.ttl(of: lease) != nil
        let remaining = service.store.remaining(of: lease)
        if isKnown, remaining == nil {
            askLeaderForTimeToLive(lease, withKeys: withKeys, on: stream)
        } else {
            answerTimeToLive(lease, remaining: remaining, withKeys: withKeys, on: stream)
        }
    }

    /// - Parameter remaining: Milliseconds by the leader's clock; `nil` when there is no such lease.
    func answerTimeToLive(_ lease: LeaseID, remaining: Int64?, withKeys: Bool, on stream: StreamID) {
        let revision = service.store.reader.revision
        guard let granted = service.store.ttl(of: lease), let remaining else {
            let response = LeaseTimeToLiveResponse(id: lease, ttlSeconds: -1)
            reply(stream, Response(service.header(revision: revision), response))
            return
        }
        var keys: [[UInt8]] = []
        if withKeys {
            do throws(MVCCError) {
                let permit = try checkedPermit(of: stream)
                keys = try service.store.reader.withView { view throws(MVCCError) in
                    try view.keys(attachedTo: lease)
                }
                let found = keys
                try permit.check { auth, identity throws(StoreError) in
                    try auth.requireKeys(of: lease, .reading, by: identity) { _ in found }
                }
            } catch {
                finish(stream, EtcdStatus(error))
                return
            }
        }
        let response = LeaseTimeToLiveResponse(
            id: lease, ttlSeconds: remaining / 1_000, grantedSeconds: granted, keys: keys)
        reply(stream, Response(service.header(revision: revision), response))
    }

    private func answerLeases(on stream: StreamID) {
        let leases = service.store.leaseIDs
        guard auth.isEnabled else { return reply(leases, on: stream) }
        guard let permit = permitOrRefusal(of: stream) else { return }
        // Who is not root has to be able to read what hangs on each of them, and they may be many.
        let (later, reader) = (onLoop(stream), service.store.reader)
        service.readers.submit { _ in
            var failure: MVCCError?
            do throws(MVCCError) { try permit.readKeys(of: leases, from: reader) } catch { failure = error }
            let found = failure
            later { session in
                if let found {
                    session.finish(stream, EtcdStatus(found))
                } else {
                    session.reply(leases, on: stream)
                }
            }
        }
    }

    private func reply(_ leases: [LeaseID], on stream: StreamID) {
        let header = service.header(revision: service.store.reader.revision)
        reply(stream, Response(header, LeaseLeasesResponse(leases: leases)))
    }
}
