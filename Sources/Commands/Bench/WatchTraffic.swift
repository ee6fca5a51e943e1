internal import NIOCore
internal import StrakeEtcdWire
internal import StrakeHTTP2
internal import StrakeModel
internal import Synchronization

/// When each put of a latency run was sent, so that any loop can tell how old an event is.
final class PutTimes: Sendable {
    private let times: Mutex<[UInt64]>

    init(count: Int) {
        times = Mutex(Array(repeating: 0, count: count))
    }

    func set(_ index: Int, _ time: UInt64) { times.withLock { if index < $0.count { $0[index] = time } } }
    func time(of index: Int) -> UInt64? { times.withLock { index < $0.count ? $0[index] : nil } }
}

/// Watch streams of one connection, each with several watchers of every key.
final class WatchTraffic: Traffic {
    private let share: LoopShare
    private let streams: Int
    private let putTimes: PutTimes
    private let isReady: @Sendable () -> Void
    private var created = 0

    /// - Parameter isReady: Called when all watchers of the connection exist.
    init(share: LoopShare, streams: Int, putTimes: PutTimes, isReady: @escaping @Sendable () -> Void) {
        self.share = share
        self.streams = streams
        self.putTimes = putTimes
        self.isReady = isReady
    }

    func begin(on connection: LoadConnection) {
        let fields = ClientConnection.grpcFields(path: "/etcdserverpb.Watch/Watch", authority: "strake-bench")
        let template = connection.engine.register(fields, isGRPC: true)
        let range = KeyRange(lower: [0x30], upper: .before([0x3A]))
        let create = WatchRequest.create(WatchCreateRequest(range: range)).encoded()
        for _ in 0..<streams {
            guard let stream = connection.engine.open(template) else {
                return disconnected("the server allows no more streams on this connection")
            }
            for _ in 0..<share.options.watchersPerStream {
                _ = create.withUnsafeBytes { connection.engine.sendMessage(stream, $0) }
            }
        }
    }

    func received(_ message: UnsafeRawBufferPointer, on stream: StreamID, of connection: LoadConnection) {
        guard let summary = try? WatchResponseSummary(protobuf: message), !summary.canceled else {
            return disconnected("a watcher was canceled or its response cannot be read")
        }
        if summary.created {
            created += 1
            if created == streams * share.options.watchersPerStream { isReady() }
            return
        }
        guard summary.eventCount > 0 else { return }
        let now = connection.now
        if share.options.workload == .watchLatency {
            try? EventView.forEach(in: message) { event in
                guard let index = PutTraffic.index(in: event.value), let sent = putTimes.time(of: index) else { return }
                share.recorder.record(from: sent, to: now)
            }
        } else {
            share.recorder.record(from: now, to: now, count: summary.eventCount)
        }
        if share.progress.finish(summary.eventCount) { share.finished() }
    }

    func completed(_ stream: StreamID, _ error: String?, of connection: LoadConnection) {
        disconnected(error ?? "the server ended a watch stream")
    }

    func disconnected(_ reason: String) {
        guard share.progress.done < share.progress.total else { return }
        share.progress.fail(reason)
        share.finished()
    }
}

/// The puts that the watchers see. Each value begins with its number.
final class PutTraffic: Traffic {
    private let share: LoopShare
    private let puts: Progress
    private let clients: Int
    private let putTimes: PutTimes
    private var template: RequestTemplate?

    init(share: LoopShare, puts: Progress, clients: Int, putTimes: PutTimes) {
        self.share = share
        self.puts = puts
        self.clients = clients
        self.putTimes = putTimes
    }

    func begin(on connection: LoadConnection) {
        let fields = ClientConnection.grpcFields(path: OperationSource.Kind.put.path, authority: "strake-bench")
        template = connection.engine.register(fields, isGRPC: true)
        for _ in 0..<clients { next(on: connection) }
    }

    private func next(on connection: LoadConnection) {
        guard let index = puts.take() else { return }
        let now = Clock.nanoseconds
        guard share.options.rate > 0 else { return put(index, at: now, on: connection) }
        let due = puts.started + UInt64(Double(index) * 1e9 / Double(share.options.rate))
        if due <= now { return put(index, at: now, on: connection) }
        let bound = NIOLoopBound((self, connection), eventLoop: connection.eventLoop)
        connection.eventLoop.scheduleTask(in: .nanoseconds(Int64(due - now))) {
            let (traffic, connection) = bound.value
            traffic.put(index, at: Clock.nanoseconds, on: connection)
            connection.flush()
        }
    }

    private func put(_ index: Int, at now: UInt64, on connection: LoadConnection) {
        var value: [UInt8] = Array(repeating: 0x76, count: max(8, share.options.valueBytes))
        withUnsafeBytes(of: UInt64(index).bigEndian) { value.replaceSubrange(0..<8, with: $0) }
        putTimes.set(index, now)
        let key = KeyedRequest.key(index % share.options.keySpace, share.options)
        let message = PutRequest(key: key, value: value).encoded()
        guard let template, message.withUnsafeBytes({ connection.engine.call(template, $0) }) != nil else {
            return disconnected("the server allows no more streams on this connection")
        }
    }

    static func index(in value: UnsafeRawBufferPointer) -> Int? {
        guard value.count >= 8 else { return nil }
        return Int(UInt64(bigEndian: value.loadUnaligned(as: UInt64.self)))
    }

    func received(_ message: UnsafeRawBufferPointer, on stream: StreamID, of connection: LoadConnection) {}

    func completed(_ stream: StreamID, _ error: String?, of connection: LoadConnection) {
        if let error { disconnected(error) }
        next(on: connection)
    }

    func disconnected(_ reason: String) {
        guard share.progress.done < share.progress.total else { return }
        share.progress.fail(reason)
        share.finished()
    }
}
