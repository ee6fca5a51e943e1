internal import DequeModule
internal import NIOCore
internal import StrakeHTTP2

/// The engine on a channel, and the calls that run on it.
final class ConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Calls that wait because the server allows no more streams; above it they fail with RESOURCE_EXHAUSTED.
    static let waitingCallsMax = 100_000

    struct Limits: Sendable {
        var configuration = ClientConfiguration()
        var keepAliveInterval: TimeAmount?
        var keepAliveTimeout = TimeAmount.seconds(5)
    }

    let engine: ClientConnection
    let authority: String
    private let isSecure: Bool
    private let limits: Limits
    private var templates: [RequestTemplate?] = Array(repeating: nil, count: Method.allCases.count)
    /// By stream slot.
    private var calls: [Call?] = []
    private var waiting = Deque<Call>()
    private var context: ChannelHandlerContext?
    /// Takes no calls any more: it failed, was closed, or the server is going.
    private var isGone = false
    /// Something has come since the keepalive last looked.
    private var hasRead = false
    private var sweep: (task: Scheduled<Void>, at: NIODeadline)?
    /// Completed by the server's first bytes: it is one, and it is alive.
    private var ready: EventLoopPromise<Void>?
    /// Told once, when no more calls should come.
    private let gone: @Sendable () -> Void

    init(
        authority: String, isSecure: Bool, limits: Limits, ready: EventLoopPromise<Void>,
        gone: @escaping @Sendable () -> Void
    ) {
        self.authority = authority
        self.isSecure = isSecure
        self.limits = limits
        self.ready = ready
        self.gone = gone
        engine = ClientConnection(configuration: limits.configuration)
    }

    // MARK: - Channel

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        flush()
        watchForSilence(context)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        hasRead = true
        // A socket that breaks as it is written to is read to its end at once. What it says is lost with it.
        if engine.isReceiving { return }
        var handler = self
        unwrapInboundIn(data).withUnsafeReadableBytes {
            engine.receive($0, now: NIODeadline.now().uptimeNanoseconds, handler: &handler)
        }
        if engine.isFailed { return }
        ready?.succeed()
        ready = nil
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        startWaiting()
        flush()
        closeIfDone()
    }

    func channelInactive(context: ChannelHandlerContext) {
        lose("\(authority) has closed the connection")
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        lose("\(authority): \(LossReason.text(of: error))")
        context.close(promise: nil)
    }

    func flush() {
        while let context, engine.outputCount > 0 {
            var buffer = context.channel.allocator.buffer(capacity: engine.outputCount)
            engine.takeOutput { _ = buffer.writeBytes($0) }
            context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
            // Requests that waited for room in the output have it now.
            guard engine.queuedBytesTotal > 0, !engine.isReceiving else { return }
            var handler = self
            engine.resumeWriting(handler: &handler)
        }
    }

    /// The connection is of no more use: everything on it fails.
    private func lose(_ reason: String) {
        let context = context
        self.context = nil
        leave()
        sweep?.task.cancel()
        sweep = nil
        ready?.fail(StrakeClientError(.unavailable, reason))
        ready = nil
        let (open, queued) = (calls, waiting)
        (calls, waiting) = ([], [])
        for case let call? in open { call.finish(StrakeClientError(.unavailable, reason, wasSent: true)) }
        for call in queued { call.finish(StrakeClientError(.unavailable, reason)) }
        context?.close(promise: nil)
    }

    private func leave() {
        guard !isGone else { return }
        isGone = true
        gone()
    }

    private func closeIfDone() {
        guard isGone, let context, calls.allSatisfy({ $0 == nil }) else { return }
        context.close(promise: nil)
    }

    // MARK: - Orders

    func obey(_ batch: [Connection.Order]) {
        for order in batch {
            switch order {
            case .start(let call): start(call)
            case .send(let call, let message):
                if let stream = call.stream, !call.isOver {
                    message.withUnsafeBytes { _ = engine.sendMessage(stream, $0) }
                }
            case .release(let call):
                if let stream = call.stream, !call.isOver { engine.holdWindow(stream, false) }
            case .cancel(let call): callOff(call, .cancelled)
            case .close:
                engine.shutDown()
                flush()
                lose("the client is closed")
            }
        }
        flush()
        closeIfDone()
    }

    private func start(_ call: Call) {
        if call.isCalledOff { return call.finish(.cancelled) }
        guard context != nil, !isGone else {
            return call.finish(StrakeClientError(.unavailable, "\(authority) is no longer connected"))
        }
        if let deadline = call.deadline { arm(deadline) }
        guard waiting.isEmpty, engine.streamsAvailable > 0 else {
            guard waiting.count < Self.waitingCallsMax else {
                return call.finish(StrakeClientError(.resourceExhausted, "too many calls wait for \(authority)"))
            }
            return waiting.append(call)
        }
        open(call)
    }

    private func startWaiting() {
        while let call = waiting.first, context != nil, !isGone, engine.streamsAvailable > 0 {
            waiting.removeFirst()
            if !call.isOver { open(call) }
        }
        guard isGone else { return }
        // The server is going: what has not begun is free to begin elsewhere.
        let queued = waiting
        waiting = []
        for call in queued { call.finish(StrakeClientError(.unavailable, "\(authority) is closing the connection")) }
    }

    private func open(_ call: Call) {
        var extra = call.metadata
        if let deadline = call.deadline {
            let left = deadline - NIODeadline.now()
            guard left > .nanoseconds(0) else { return call.finish(.deadlineExceeded) }
            extra.append(HeaderField("grpc-timeout", TimeoutHeader.text(nanoseconds: left.nanoseconds)))
        }
        guard let stream = engine.open(template(of: call.method), extra: extra) else {
            return call.finish(StrakeClientError(.unavailable, "\(authority) takes no more calls"))
        }
        call.stream = stream
        while calls.count <= Int(stream.slot) { calls.append(nil) }
        calls[Int(stream.slot)] = call
        call.request.withUnsafeBytes { _ = engine.sendMessage(stream, $0) }
        if !call.method.isConversation { engine.endBody(stream) }
    }

    private func template(of method: Method) -> RequestTemplate {
        if let template = templates[method.rawValue] { return template }
        let fields = ClientConnection.grpcFields(
            path: method.path, authority: authority, scheme: isSecure ? "https" : "http")
        let template = engine.register(fields, isGRPC: true)
        templates[method.rawValue] = template
        return template
    }

    private func callOff(_ call: Call, _ error: StrakeClientError) {
        guard !call.isOver else { return }
        guard let stream = call.stream else {
            call.isCalledOff = true
            // It may not have come yet; then `start` finds it called off.
            if waiting.contains(where: { $0 === call }) {
                waiting.removeAll { $0 === call }
                call.finish(error)
            }
            return
        }
        calls[Int(stream.slot)] = nil
        engine.reset(stream, .cancel)
        var error = error
        error.wasSent = true
        call.finish(error)
    }

    // MARK: - Time

    /// One timer for all calls, at the earliest of their deadlines.
    private func arm(_ deadline: NIODeadline) {
        guard let context else { return }
        if let sweep {
            if sweep.at <= deadline { return }
            sweep.task.cancel()
        }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        let task = context.eventLoop.scheduleTask(deadline: deadline) { bound.value.sweepDeadlines() }
        sweep = (task, deadline)
    }

    private func sweepDeadlines() {
        sweep = nil
        let now = NIODeadline.now()
        var earliest: NIODeadline?
        for call in calls.compactMap({ $0 }) + Array(waiting) {
            guard let deadline = call.deadline else { continue }
            if deadline <= now {
                callOff(call, .deadlineExceeded)
            } else {
                earliest = min(earliest ?? deadline, deadline)
            }
        }
        if let earliest { arm(earliest) }
        flush()
        closeIfDone()
    }

    /// While calls are open a server that says nothing is asked for a sign of life, and given up without one.
    private func watchForSilence(_ context: ChannelHandlerContext) {
        guard let interval = limits.keepAliveInterval else { return }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: interval) {
            let handler = bound.value
            guard let context = handler.context else { return }
            defer {
                handler.hasRead = false
                handler.watchForSilence(context)
            }
            guard !handler.hasRead, handler.engine.openStreams > 0 else { return }
            handler.engine.sendPing(1)
            handler.flush()
            context.eventLoop.scheduleTask(in: handler.limits.keepAliveTimeout) {
                let handler = bound.value
                guard handler.context != nil, !handler.hasRead else { return }
                handler.lose("\(handler.authority) gives no sign of life")
            }
        }
    }
}

// MARK: - ClientHandler

extension ConnectionHandler: ClientHandler {
    func messageReceived(_ stream: StreamID, _ message: UnsafeRawBufferPointer, on connection: ClientConnection) {
        guard Int(stream.slot) < calls.count, let call = calls[Int(stream.slot)] else { return }
        if call.received(message) { connection.holdWindow(stream, true) }
    }

    func callCompleted(
        _ stream: StreamID, _ status: GRPCStatus, _ head: ResponseHead, on connection: ClientConnection
    ) {
        guard Int(stream.slot) < calls.count, let call = calls[Int(stream.slot)] else { return }
        calls[Int(stream.slot)] = nil
        guard status != .ok else { return call.finish(nil) }
        var message = head.grpcMessage
        if message.isEmpty { message = "\(authority) has broken the call off" }
        call.finish(StrakeClientError(status, message, wasSent: !connection.isCallUnprocessed))
    }

    func connectionChanged(_ event: ConnectionEvent, on connection: ClientConnection) {
        switch event {
        case .failed(let code, let reason):
            flush()
            lose("\(authority): connection error \(code): \(reason)")
        case .goAwayReceived: leave()
        case .drained, .pingAnswered: break
        }
    }
}
