internal import StrakeEtcdWire
internal import StrakeHTTP2
internal import StrakeMVCC
internal import StrakeModel
internal import StrakeStore

// Leases on a member that does not lead: their deadlines are the leader's.
extension Session {
    func receiveKeepAlive(_ stream: StreamID, _ message: UnsafeRawBufferPointer) throws(WireError) {
        let lease = try LeaseKeepAliveRequest(protobuf: message).id
        _ = streams.update(stream) { $0.awaited += 1 }
        if service.store.isLeader {
            reads.keepAlives.append((stream, lease))
        } else if let denial = keepAliveDenial(of: lease, stream) {
            refuse(stream, denial)
        } else {
            askLeaderToKeepAlive(lease, on: stream)
        }
    }

    func askLeaderToKeepAlive(_ lease: LeaseID, on stream: StreamID) {
        let later = onLoop(stream)
        service.store.keepAlive(lease) { result in
            later { session in
                switch result {
                case .success(let ttl):
                    let header = session.service.header(revision: session.service.store.reader.revision)
                    session.answerKeepAlive(stream, header, lease, ttlSeconds: ttl)
                case .failure(let error): session.refuse(stream, error)
                }
            }
        }
    }

    /// Answers one of the stream's keep-alives.
    func answerKeepAlive(_ stream: StreamID, _ header: ResponseHeader, _ lease: LeaseID, ttlSeconds: Int64) {
        let isLast = streams.update(stream) { state in
            state.awaited -= 1
            return state.endIsOwed && state.awaited == 0
        }
        guard let isLast else { return }
        send(stream, Response(header, LeaseKeepAliveResponse(id: lease, ttlSeconds: ttlSeconds)))
        if isLast { finish(stream, EtcdStatus(code: .ok, message: "")) }
    }

    /// The client has said all: the trailers follow the answers that are still on their way.
    func endKeepAlives(_ stream: StreamID) {
        streams[stream]?.endIsOwed = true
        if streams[stream]?.awaited == 0 { finish(stream, EtcdStatus(code: .ok, message: "")) }
    }

    func receiveTimeToLive(_ stream: StreamID, _ message: UnsafeRawBufferPointer) throws(WireError) {
        let request = try LeaseTimeToLiveRequest(protobuf: message)
        if service.hasLeader {
            // The keys, and whether there is such a lease, are read here.
            reads.reads.append(PendingRead(stream: stream, work: .timeToLive(request.id, withKeys: request.keys)))
        } else {
            askLeaderForTimeToLive(request.id, withKeys: request.keys, on: stream)
        }
    }

    func askLeaderForTimeToLive(_ lease: LeaseID, withKeys: Bool, on stream: StreamID) {
        let later = onLoop(stream)
        service.store.remaining(of: lease) { result in
            later { session in
                switch result {
                case .success(let milliseconds):
                    session.answerTimeToLive(lease, remaining: milliseconds, withKeys: withKeys, on: stream)
                case .failure(let error): session.refuse(stream, error)
                }
            }
        }
    }

    func receiveLeases(_ stream: StreamID, _ message: UnsafeRawBufferPointer) throws(WireError) {
        _ = try EmptyRequest(protobuf: message)
        let read = PendingRead(stream: stream, work: .leases)
        // etcd lists what the member knows; without a leader there is nothing better.
        if service.hasLeader { reads.reads.append(read) } else { serve(ReadBatch(reads: [read])) }
    }
}
