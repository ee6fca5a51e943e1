/// The server's end of a connection.
package final class ServerConnection: HTTP2Connection {
    /// The output holds SETTINGS from the beginning: write it at once.
    package init(methods: MethodTable, configuration: ServerConfiguration = ServerConfiguration()) {
        super.init(Engine(isServer: true, limits: ConnectionLimits(configuration), methods: methods))
    }

    /// Takes bytes from the socket; they need to live during the call only.
    ///
    /// - Parameter now: monotonic nanoseconds, for the limits on floods and pings.
    @inlinable
    package func receive<H: ServerHandler>(_ bytes: UnsafeRawBufferPointer, now: UInt64, handler: inout H) {
        beginInput(bytes, now: now)
        while dispatch(next(), &handler) {}
        endInput()
    }

    /// Gives the `streamWritable` callbacks that are due. Call it when the output was consumed. Within a callback it does
    /// nothing: what is due comes after it.
    @inlinable
    package func resumeWriting<H: ServerHandler>(handler: inout H) {
        guard !isReceiving else { return }
        beginInput(UnsafeRawBufferPointer(start: nil, count: 0), now: 0)
        while dispatch(next(), &handler) {}
        endInput()
    }

    /// False when there is nothing more to tell.
    @inlinable
    package func dispatch<H: ServerHandler>(_ event: Event, _ handler: inout H) -> Bool {
        switch event {
        case .idle: return false
        case .nothing, .responseOpened, .part, .completed: break
        case .callOpened(let stream): handler.callOpened(stream, requestHead, on: self)
        case .requestOpened(let stream): handler.requestOpened(stream, requestHead, on: self)
        case .message(let stream, let bytes, let isLast):
            handler.messageReceived(stream, bytes, isLast: isLast, on: self)
        case .body(let stream, let bytes): handler.bodyReceived(stream, bytes, on: self)
        case .ended(let stream): handler.endReceived(stream, on: self)
        case .closed(let stream, let reason): handler.streamClosed(stream, reason, on: self)
        case .writable(let stream, let capacity): handler.streamWritable(stream, capacity: capacity, on: self)
        case .failed, .goAwayReceived, .drained, .pingAnswered:
            handler.connectionChanged(connectionEvent(event), on: self)
        }
        return true
    }

    package var requestHead: RequestHead {
        RequestHead(
            method: engine.pointee.head.method, timeoutNanoseconds: engine.pointee.head.timeoutNanoseconds,
            isEnd: engine.pointee.head.isEnd, headers: engine.pointee.currentHeaders)
    }

    // MARK: - gRPC answers

    /// Room for the one message of a unary answer; `endReply` sends it with status OK.
    package func beginReply(_ stream: StreamID, bytesMax: Int) -> UnsafeMutableRawBufferPointer? {
        beginMessage(stream, bytesMax: bytesMax)
    }

    package func endReply(_ stream: StreamID, count: Int) {
        engine.pointee.endMessage(stream, count)
        _ = engine.pointee.finish(stream, .ok, "")
    }

    /// A whole unary answer. False if the stream is gone.
    @discardableResult
    package func sendReply(_ stream: StreamID, _ message: UnsafeRawBufferPointer) -> Bool {
        guard engine.pointee.sendMessage(stream, message) else { return false }
        return engine.pointee.finish(stream, .ok, "")
    }

    /// Response headers now, before the first message. False if the stream is gone.
    @discardableResult
    package func sendHeaders(_ stream: StreamID) -> Bool { engine.pointee.sendHeaders(stream) }

    /// Ends a call behind everything queued. False if the stream is gone or ended.
    @discardableResult
    package func finish(_ stream: StreamID, _ status: GRPCStatus = .ok, message: String = "") -> Bool {
        engine.pointee.finish(stream, status, message)
    }

    // MARK: - HTTP answers

    /// Headers of an HTTP response; the body by `beginBytes`, `endBytes` and `endBody`.
    @discardableResult
    package func respond(_ stream: StreamID, status: Int, headers: [HeaderField], endOfStream: Bool) -> Bool {
        engine.pointee.respond(stream, status: status, headers: headers, endOfStream: endOfStream)
    }
}
