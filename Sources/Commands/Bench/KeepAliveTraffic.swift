internal import StrakeEtcdWire
internal import StrakeHTTP2
internal import StrakeModel

/// Clients that each hold a lease and renew it as fast as it is answered, on a stream of their own.
final class KeepAliveTraffic: Traffic {
    private static let ttlSeconds: Int64 = 600

    private let share: LoopShare
    private let clients: Int
    private var grant: RequestTemplate?
    private var keepAlive: RequestTemplate?
    /// By stream slot; a slot without a lease carries a grant, or nothing.
    private var renewals: [Renewal] = []
    private var granting: Set<StreamID> = []

    private struct Renewal {
        var lease = LeaseID.none
        /// When the renewal under way began.
        var start: UInt64 = 0
    }

    init(share: LoopShare, clients: Int) {
        self.share = share
        self.clients = clients
    }

    func begin(on connection: LoadConnection) {
        func template(_ path: String) -> RequestTemplate {
            connection.engine.register(ClientConnection.grpcFields(path: path, authority: "strake-bench"), isGRPC: true)
        }
        grant = template("/etcdserverpb.Lease/LeaseGrant")
        keepAlive = template("/etcdserverpb.Lease/LeaseKeepAlive")
        for _ in 0..<clients {
            let message = LeaseGrantRequest(ttlSeconds: Self.ttlSeconds).encoded()
            guard let grant, let stream = message.withUnsafeBytes({ connection.engine.call(grant, $0) }) else {
                return disconnected("the server allows no more streams on this connection")
            }
            granting.insert(stream)
        }
    }

    func received(_ message: UnsafeRawBufferPointer, on stream: StreamID, of connection: LoadConnection) {
        guard let summary = try? LeaseResponseSummary(protobuf: message) else {
            return disconnected("a lease answer cannot be read")
        }
        let slot = Int(stream.slot)
        guard slot < renewals.count, renewals[slot].lease != .none else { return begin(summary.id, on: connection) }
        share.recorder.record(from: renewals[slot].start, to: connection.now)
        if summary.ttlSeconds <= 0 { share.progress.fail("the lease has expired") }
        if share.progress.finish() { return share.finished() }
        renew(on: stream, of: connection)
    }

    /// The lease is granted: renew it from now on.
    private func begin(_ lease: LeaseID, on connection: LoadConnection) {
        guard let keepAlive, let stream = connection.engine.open(keepAlive) else {
            return disconnected("the server allows no more streams on this connection")
        }
        while renewals.count <= Int(stream.slot) { renewals.append(Renewal()) }
        renewals[Int(stream.slot)].lease = lease
        renew(on: stream, of: connection)
    }

    private func renew(on stream: StreamID, of connection: LoadConnection) {
        guard share.progress.take() != nil else { return }
        let slot = Int(stream.slot)
        renewals[slot].start = connection.now
        let request = LeaseKeepAliveRequest(id: renewals[slot].lease)
        let size = request.encodedSize
        guard let memory = connection.engine.beginMessage(stream, bytesMax: size) else { return }
        var writer = ProtobufWriter(UnsafeMutableRawBufferPointer(rebasing: memory[..<size]))
        request.encode(to: &writer)
        connection.engine.endMessage(stream, count: size)
    }

    func completed(_ stream: StreamID, _ error: String?, of connection: LoadConnection) {
        if granting.remove(stream) != nil, error == nil { return }
        disconnected(error ?? "the server ended a keep-alive stream")
    }

    func disconnected(_ reason: String) {
        guard share.progress.done < share.progress.total else { return }
        share.progress.fail(reason)
        share.finished()
    }
}
