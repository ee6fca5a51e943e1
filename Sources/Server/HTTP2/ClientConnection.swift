/// Header fields registered with one connection, to be sent again and again.
package struct RequestTemplate: Sendable {
    let index: Int
}

/// The client's end of a connection.
package final class ClientConnection: HTTP2Connection {
    /// The output holds the preface and SETTINGS from the beginning.
    package init(configuration: ClientConfiguration = ClientConfiguration()) {
        super.init(Engine(isServer: false, limits: ConnectionLimits(configuration), methods: nil))
    }

    /// See `ServerConnection.receive`.
    @inlinable
    package func receive<H: ClientHandler>(_ bytes: UnsafeRawBufferPointer, now: UInt64, handler: inout H) {
        beginInput(bytes, now: now)
        while dispatch(next(), &handler) {}
        endInput()
    }

    @inlinable
    package func resumeWriting<H: ClientHandler>(handler: inout H) {
        guard !isReceiving else { return }
        beginInput(UnsafeRawBufferPointer(start: nil, count: 0), now: 0)
        while dispatch(next(), &handler) {}
        endInput()
    }

    @inlinable
    package func dispatch<H: ClientHandler>(_ event: Event, _ handler: inout H) -> Bool {
        switch event {
        case .idle: return false
        case .nothing, .callOpened, .requestOpened: break
        case .responseOpened(let stream): handler.responseOpened(stream, responseHead, on: self)
        case .message(let stream, let bytes, _): handler.messageReceived(stream, bytes, on: self)
        case .part(let stream, let bytes, let rest): handler.partReceived(stream, bytes, rest: rest, on: self)
        case .body(let stream, let bytes): handler.bodyReceived(stream, bytes, on: self)
        case .ended(let stream): handler.endReceived(stream, on: self)
        case .completed(let stream, let status): handler.callCompleted(stream, status, responseHead, on: self)
        case .closed(let stream, let reason): handler.streamClosed(stream, reason, on: self)
        case .writable(let stream, let capacity): handler.streamWritable(stream, capacity: capacity, on: self)
        case .failed, .goAwayReceived, .drained, .pingAnswered:
            handler.connectionChanged(connectionEvent(event), on: self)
        }
        return true
    }

    package var responseHead: ResponseHead {
        ResponseHead(status: engine.pointee.head.status, headers: engine.pointee.currentHeaders)
    }

    /// In `callCompleted`: the server says that it never looked at the call (REFUSED_STREAM, GOAWAY), so that it is safe to
    /// make it again elsewhere, whatever it does.
    package var isCallUnprocessed: Bool { engine.pointee.isCallUnprocessed }

    // MARK: - Requests

    /// The usual fields of a gRPC request.
    package static func grpcFields(
        path: String, authority: String, scheme: String = "http", metadata: [HeaderField] = []
    ) -> [HeaderField] {
        [
            HeaderField(":method", "POST"), HeaderField(":scheme", scheme), HeaderField(":path", path),
            HeaderField(":authority", authority), HeaderField("content-type", "application/grpc"),
            HeaderField("te", "trailers"), HeaderField("user-agent", "strake"),
        ] + metadata
    }

    /// Fields to be sent with many requests, on this connection.
    package func register(_ fields: [HeaderField], isGRPC: Bool) -> RequestTemplate {
        engine.pointee.templates.append(HeaderTemplate(fields: fields, isGRPC: isGRPC))
        return RequestTemplate(index: engine.pointee.templates.count - 1)
    }

    /// Streams that may be opened now; 0 says wait, or, after GOAWAY, that this connection takes no more.
    package var streamsAvailable: Int { engine.pointee.streamsAvailable }

    /// Opens a stream. Nil if none is available. Messages or a body follow, then `endBody`.
    ///
    /// - Parameter partsAbove: A message of more bytes is told by `partReceived` as it comes, and may be of any length.
    package func open(
        _ template: RequestTemplate, extra: [HeaderField] = [], endOfStream: Bool = false, partsAbove: Int = .max
    ) -> StreamID? {
        let stream = engine.pointee.openStream(template.index, extra, endOfStream: endOfStream)
        if let stream { engine.pointee.streams.find(stream)?.pointee.partsAbove = partsAbove }
        return stream
    }

    /// A unary gRPC call: headers, the message and END_STREAM. Nil if no stream is available.
    package func call(_ template: RequestTemplate, _ message: UnsafeRawBufferPointer) -> StreamID? {
        guard let stream = engine.pointee.openStream(template.index, [], endOfStream: false) else { return nil }
        _ = engine.pointee.sendMessage(stream, message)
        _ = engine.pointee.endBody(stream)
        return stream
    }
}
