internal import StrakeEtcdWire
internal import StrakeHTTP2
internal import StrakeMVCC
internal import StrakeModel
internal import StrakeStore

/// A client that is told who leads an election, and what is proclaimed.
struct ElectionObserver {
    let name: [UInt8]
    /// What it was told last.
    var told: (key: [UInt8], modRevision: Int64)?
    var isReading = false
    /// Something has changed since the read that is under way, or since there was no more room.
    var isBehind = false

    func knows(_ leader: KeyValue) -> Bool {
        told.map { $0.key == leader.key && $0.modRevision == leader.modRevision } ?? false
    }
}

extension Session {
    func receiveCampaign(_ stream: StreamID, _ message: UnsafeRawBufferPointer) throws(WireError) {
        let request = try CampaignRequest(protobuf: message)
        contend(for: .leadership(value: request.value), under: request.name, lease: request.lease, on: stream)
    }

    func receiveProclaim(_ stream: StreamID, _ message: UnsafeRawBufferPointer) throws(WireError) {
        let request = try LeaderKeyRequest(protobuf: message)
        guard let leader = named(request, on: stream) else { return }
        let prize = Contender.Prize.proclamation(of: leader, value: request.value)
        contend(for: prize, under: leader.name, lease: leader.lease, on: stream)
    }

    func receiveResign(_ stream: StreamID, _ message: UnsafeRawBufferPointer) throws(WireError) {
        guard let leader = named(try LeaderKeyRequest(protobuf: message), on: stream) else { return }
        propose(
            Contender.removal(of: leader.key, created: leader.revision), for: stream, as: .recipeEnd(stream),
            takesRoom: false)
    }

    /// The leader that a request has to name.
    private func named(_ request: LeaderKeyRequest, on stream: StreamID) -> LeaderKey? {
        guard let leader = request.leader else {
            finish(stream, EtcdStatus(RecipeError.leaderMissing))
            return nil
        }
        guard !leader.key.isEmpty else {
            finish(stream, EtcdStatus(inRecipe: .emptyKey))
            return nil
        }
        return leader
    }

    func receiveElectionLeader(_ stream: StreamID, _ message: UnsafeRawBufferPointer) throws(WireError) {
        let name = try ElectionRequest(protobuf: message).name
        reads.reads.append(PendingRead(stream: stream, work: .electionLeader(name)))
    }

    func answerElectionLeader(_ name: [UInt8], on stream: StreamID) {
        lookUp(Contender.holder(of: name), on: stream) { session, result in
            switch result {
            case .failure(let error): session.finish(stream, EtcdStatus(inRecipe: error))
            case .success(let found):
                guard let leader = found.response.keyValues.first else {
                    return session.finish(stream, EtcdStatus(RecipeError.noLeader))
                }
                let header = session.service.header(revision: found.revision)
                session.reply(stream, Response(header, LeaderResponse(keyValue: leader)))
            }
        }
    }

    // MARK: Observing

    func receiveObserve(_ stream: StreamID, _ message: UnsafeRawBufferPointer) throws(WireError) {
        let observer = ElectionObserver(name: try ElectionRequest(protobuf: message).name, isReading: true)
        streams[stream]?.role = .observer(observer)
        loop.waiters.observe(Contender.prefix(of: observer.name), stream, self)
        reads.reads.append(PendingRead(stream: stream, work: .observer))
    }

    /// Something under the election's name has changed. What comes in between two reads is told as one change: the newest
    /// is what counts.
    func observedChange(_ stream: StreamID) {
        guard let state = streams[stream], case .observer(var observer) = state.role else { return }
        defer { loop.touch(self) }
        let hasRoom = engine.queuedBytes(stream) <= WatchSink.streamBytesMax
        guard !observer.isReading, hasRoom else {
            observer.isBehind = true
            streams[stream]?.role = .observer(observer)
            if !hasRoom { engine.requestWrite(stream) }
            return
        }
        observer.isReading = true
        observer.isBehind = false
        streams[stream]?.role = .observer(observer)
        lookForLeader(stream, isFirst: false)
    }

    /// - Parameter isFirst: As with a watch, who may observe is asked once.
    func lookForLeader(_ stream: StreamID, isFirst: Bool) {
        guard case .observer(let observer)? = streams[stream]?.role else { return }
        lookUp(Contender.holder(of: observer.name), on: stream, isChecked: isFirst) { session, result in
            session.observed(result, on: stream)
        }
    }

    private func observed(_ result: Result<FoundRange, MVCCError>, on stream: StreamID) {
        guard let state = streams[stream], case .observer(var observer) = state.role else { return }
        switch result {
        case .failure(let error):
            release(state)
            finish(stream, EtcdStatus(inRecipe: error))
        case .success(let found):
            observer.isReading = false
            if let leader = found.response.keyValues.first, !observer.knows(leader) {
                observer.told = (leader.key, leader.modRevision)
                send(stream, Response(service.header(revision: found.revision), LeaderResponse(keyValue: leader)))
            }
            streams[stream]?.role = .observer(observer)
            if observer.isBehind { observedChange(stream) }
        }
    }

    /// The stream has room again.
    func observerDrained(_ stream: StreamID) {
        guard case .observer(let observer)? = streams[stream]?.role, observer.isBehind else { return }
        observedChange(stream)
    }
}
