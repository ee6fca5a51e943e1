internal import NIOCore
internal import StrakeHTTP2

/// Clients that each make a unary call, wait for its answer, and make the next.
final class UnaryTraffic: Traffic {
    private let share: LoopShare
    private let clients: Int
    private var source: OperationSource
    private unowned var connection: LoadConnection!
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
        self.connection = connection
        templates = OperationSource.Kind.allCases.map { kind in
            let fields = ClientConnection.grpcFields(path: kind.path, authority: "strake-bench")
            return connection.engine.register(fields, isGRPC: true)
        }
        for _ in 0..<clients { next() }
    }

    private func next() {
        guard let index = share.progress.take() else { return }
        inFlight += 1
        guard let due = share.due(index) else { return call(index, from: Clock.nanoseconds) }
        let now = Clock.nanoseconds
        if due <= now { return call(index, from: due) }
        let bound = NIOLoopBound(self, eventLoop: connection.eventLoop)
        connection.eventLoop.scheduleTask(in: .nanoseconds(Int64(due - now))) {
            bound.value.call(index, from: due)
            bound.value.connection.flush()
        }
    }

    private func call(_ index: Int, from start: UInt64) {
        let (kind, message) = source.next(index)
        let stream = message.withUnsafeBytes { connection.engine.call(templates[kind.rawValue], $0) }
        guard let stream else {
            end("the server allows no more streams on this connection")
            return
        }
        while starts.count <= Int(stream.slot) { starts.append(0) }
        starts[Int(stream.slot)] = start
    }

    func received(_ message: UnsafeRawBufferPointer, on stream: StreamID) {}

    func completed(_ stream: StreamID, _ error: String?) {
        if error == nil { share.recorder.record(from: starts[Int(stream.slot)], to: Clock.nanoseconds) }
        end(error)
        next()
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
