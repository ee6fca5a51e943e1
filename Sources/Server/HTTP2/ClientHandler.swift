/// What a client's connection tells its user. Callbacks come from within `receive` and `resumeWriting`; every call on the
/// connection but these two is allowed in them.
package protocol ClientHandler {
    /// The response's headers; not for a gRPC call answered by trailers alone.
    mutating func responseOpened(_ stream: StreamID, _ head: ResponseHead, on connection: ClientConnection)

    /// One whole gRPC message; its bytes are valid during the callback only.
    mutating func messageReceived(
        _ stream: StreamID, _ message: UnsafeRawBufferPointer, on connection: ClientConnection)

    /// Some of a message that is longer than its stream was opened to take whole; `rest` bytes of it are still to come. None
    /// comes empty. A call that ends before the message has does not end well.
    mutating func partReceived(
        _ stream: StreamID, _ bytes: UnsafeRawBufferPointer, rest: Int, on connection: ClientConnection)

    /// A gRPC call is over, whatever the reason: trailers, reset, GOAWAY. Once for each, except when the connection fails
    /// or you reset the stream. The stream is gone: another may be opened here.
    mutating func callCompleted(
        _ stream: StreamID, _ status: GRPCStatus, _ head: ResponseHead, on connection: ClientConnection)

    // Of HTTP streams that are not gRPC.
    mutating func bodyReceived(_ stream: StreamID, _ bytes: UnsafeRawBufferPointer, on connection: ClientConnection)
    mutating func endReceived(_ stream: StreamID, on connection: ClientConnection)
    mutating func streamClosed(_ stream: StreamID, _ reason: CloseReason, on connection: ClientConnection)

    /// Answers one `requestWrite`: `capacity` bytes can go out now.
    mutating func streamWritable(_ stream: StreamID, capacity: Int, on connection: ClientConnection)

    mutating func connectionChanged(_ event: ConnectionEvent, on connection: ClientConnection)
}

extension ClientHandler {
    package mutating func responseOpened(
        _ stream: StreamID, _ head: ResponseHead, on connection: ClientConnection
    ) {}
    package mutating func partReceived(
        _ stream: StreamID, _ bytes: UnsafeRawBufferPointer, rest: Int, on connection: ClientConnection
    ) {}
    package mutating func bodyReceived(
        _ stream: StreamID, _ bytes: UnsafeRawBufferPointer, on connection: ClientConnection
    ) {}
    package mutating func endReceived(_ stream: StreamID, on connection: ClientConnection) {}
    package mutating func streamClosed(
        _ stream: StreamID, _ reason: CloseReason, on connection: ClientConnection
    ) {}
    package mutating func streamWritable(_ stream: StreamID, capacity: Int, on connection: ClientConnection) {}
}
