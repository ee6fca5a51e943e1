internal import NIOCore
internal import StrakeHTTP2

/// Clients that each make a unary call, wait for its answer, and make the next.
final class UnaryTraffic: Traffic {
    private let share: LoopShare
    private let clients: Int
    private var source: OperationSource
    private var templates: [RequestTemplate] = []
    /// Start of the call on each stream slot.
    private var starts: [UInt64] = []
    private var inFlight = 0

    init(share: LoopShare, clients: Int, source: OperationSource) {
        self.share = share
        self.clients = clients
        self.source = source
    }

    func begin(on connection: LoadConnection) {
        templates = OperationSource.Kind.allCases.map { kind in
            let fields = ClientConnection.grpcFields(path: kind.path, authority: "strake-bench")
            return connection.engine.register(fields, isGRPC: true)
        }
        for _ in 0..<clients { next(on: connection) }
    }

    private func next(on connection: LoadConnection) {
        guard let index = share.progress.take() else { return }
        inFlight += 1
        guard let due = share.due(index) else { return call(index, from: connection.now, on: connection) }
        let now = Clock.nanoseconds
        if due <= now { return call(index, from: due, on: connection) }
        let bound = NIOLoopBound((self, connection), eventLoop: connection.eventLoop)
        connection.eventLoop.scheduleTask(in: .nanoseconds(Int64(due - now))) {
            let (traffic, connection) = bound.value
            traffic.call(index, from: due, on: connection)
            connection.flush()
        }
    }

    private func call(_ index: Int, from start: UInt64, on connection: LoadConnection) {
        let stream = source.withNext(index) { connection.engine.call(templates[$0.rawValue], $1) }
        guard let stream else {
            end("the server allows no more streams on this connection")
            return
        }
        while starts.count <= Int(stream.slot) { starts.append(0) }
        starts[Int(stream.slot)] = start
    }

    func received(_ message: UnsafeRawBufferPointer, on stream: StreamID, of connection: LoadConnection) {}

    func completed(_ stream: StreamID, _ error: String?, of connection: LoadConnection) {
        if error == nil { share.recorder.record(from: starts[Int(stream.slot)], to: connection.now) }
        end(error)
        next(on: connection)
    }

    private func end(_ error: String?) {
        inFlight -= 1
        if let error { share.progress.fail(error) }
        if share.progress.finish() { share.finished() }
    }

    func disconnected(_ reason: String) {
        // What was under way is lost, and this connection's clients take no more.
        let lost = inFlight
        inFlight = 0
        for _ in 0..<lost { share.progress.fail(reason) }
        if lost > 0, share.progress.finish(lost) { share.finished() }
        if lost > 0, share.progress.done < share.progress.total { share.finished() }
    }
}
