/// What a server's connection tells its user. Callbacks come from within `receive` and `resumeWriting`; every call on the
/// connection but these two is allowed in them.
package protocol ServerHandler {
    /// A gRPC call of a registered method. What is wrong with calls (unknown method, content-type, compression, timeout)
    /// was answered already and never comes here.
    mutating func callOpened(_ stream: StreamID, _ head: RequestHead, on connection: ServerConnection)

    /// One whole gRPC message; its bytes are valid during the callback only. `isLast`: END_STREAM came with it, so a unary
    /// request is complete and may be answered at once; `endReceived` follows if it was not.
    mutating func messageReceived(
        _ stream: StreamID, _ message: UnsafeRawBufferPointer, isLast: Bool, on connection: ServerConnection)

    /// An ordinary HTTP request: no gRPC content type, no gRPC method's path. Answers 404 by default.
    mutating func requestOpened(_ stream: StreamID, _ head: RequestHead, on connection: ServerConnection)

    /// Some of an HTTP request's body.
    mutating func bodyReceived(_ stream: StreamID, _ bytes: UnsafeRawBufferPointer, on connection: ServerConnection)

    /// The client half-closed. Not for streams that you ended before.
    mutating func endReceived(_ stream: StreamID, on connection: ServerConnection)

    /// The stream went away by other hands than yours. Not called for each stream when the connection fails.
    mutating func streamClosed(_ stream: StreamID, _ reason: CloseReason, on connection: ServerConnection)

    /// Answers one `requestWrite`: `capacity` bytes can go out now.
    mutating func streamWritable(_ stream: StreamID, capacity: Int, on connection: ServerConnection)

    mutating func connectionChanged(_ event: ConnectionEvent, on connection: ServerConnection)
}

extension ServerHandler {
    package mutating func requestOpened(_ stream: StreamID, _ head: RequestHead, on connection: ServerConnection) {
        connection.respond(stream, status: 404, headers: [], endOfStream: true)
    }

    package mutating func bodyReceived(
        _ stream: StreamID, _ bytes: UnsafeRawBufferPointer, on connection: ServerConnection
    ) {}

    package mutating func streamWritable(_ stream: StreamID, capacity: Int, on connection: ServerConnection) {}
}
