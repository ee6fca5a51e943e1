internal import StrakeEtcdWire
internal import StrakeHTTP2
internal import StrakeModel

/// Clients that each hold a lease and renew it as fast as it is answered, on a stream of their own.
final class KeepAliveTraffic: Traffic {
    private static let ttlSeconds: Int64 = 600

    private let share: LoopShare
    private let clients: Int
    private unowned var connection: LoadConnection!
    private var grant: RequestTemplate?
    private var keepAlive: RequestTemplate?
    /// By stream slot: the lease, and when its renewal under way began.
    private var renewals: [UInt32: (lease: LeaseID, start: UInt64)] = [:]
    private var granting: Set<StreamID> = []

    init(share: LoopShare, clients: Int) {
        self.share = share
        self.clients = clients
    }

    func begin(on connection: LoadConnection) {
        self.connection = connection
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

    func received(_ message: UnsafeRawBufferPointer, on stream: StreamID) {
        guard let summary = try? LeaseResponseSummary(protobuf: message) else {
            return disconnected("a lease answer cannot be read")
        }
        if granting.contains(stream) {
            guard let keepAlive, let renewing = connection.engine.open(keepAlive) else { return }
            renewals[renewing.slot] = (summary.id, 0)
            renew(on: renewing)
            return
        }
        guard let renewal = renewals[stream.slot] else { return }
        share.recorder.record(from: renewal.start, to: Clock.nanoseconds)
        if summary.ttlSeconds <= 0 { share.progress.fail("the lease has expired") }
        if share.progress.finish() { return share.finished() }
        renew(on: stream)
    }

    private func renew(on stream: StreamID) {
        guard share.progress.take() != nil, let lease = renewals[stream.slot]?.lease else { return }
        renewals[stream.slot]?.start = Clock.nanoseconds
        _ = LeaseKeepAliveRequest(id: lease).encoded().withUnsafeBytes { connection.engine.sendMessage(stream, $0) }
    }

    func completed(_ stream: StreamID, _ error: String?) {
        if granting.remove(stream) != nil, error == nil { return }
        disconnected(error ?? "the server ended a keep-alive stream")
    }

    func disconnected(_ reason: String) {
        guard share.progress.done < share.progress.total else { return }
        share.progress.fail(reason)
        share.finished()
    }
}
