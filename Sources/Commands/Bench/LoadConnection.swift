internal import NIOCore
internal import StrakeHTTP2
internal import StrakeSockets
internal import StrakeTLS

/// A connection of the load generator: the engine on a channel. What it sends is its traffic's choice.
final class LoadConnection: ChannelInboundHandler, ClientHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let engine = ClientConnection()
    /// When the bytes in hand were read. Answers in one read end together, and what they set off begins then: a clock
    /// read for each would cost more than the rest of an operation.
    private(set) var now = Clock.nanoseconds
    private let traffic: any Traffic
    /// Named in what is said of the connection.
    private let endpoint: String
    private var context: ChannelHandlerContext?

    init(to endpoint: String, traffic: any Traffic) {
        self.endpoint = endpoint
        self.traffic = traffic
    }

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        now = Clock.nanoseconds
        traffic.begin(on: self)
        flush()
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        traffic.disconnected("\(endpoint) closed the connection")
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let reason = error is IOError ? ConnectFailure.reason(of: error) : TLSFailure.reason(of: error)
        traffic.disconnected("the connection to \(endpoint) was lost: \(reason)")
        context.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        var handler = self
        now = Clock.nanoseconds
        buffer.withUnsafeReadableBytes { engine.receive($0, now: now, handler: &handler) }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        flush()
    }

    var eventLoop: any EventLoop {
        guard let context else { preconditionFailure("a connection that is not open") }
        return context.eventLoop
    }

    func flush() {
        guard let context, engine.outputCount > 0 else { return }
        var buffer = context.channel.allocator.buffer(capacity: engine.outputCount)
        engine.takeOutput { _ = buffer.writeBytes($0) }
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
    }

    // MARK: ClientHandler

    func messageReceived(_ stream: StreamID, _ message: UnsafeRawBufferPointer, on connection: ClientConnection) {
        traffic.received(message, on: stream, of: self)
    }

    func callCompleted(
        _ stream: StreamID, _ status: GRPCStatus, _ head: ResponseHead, on connection: ClientConnection
    ) {
        traffic.completed(stream, status == .ok ? nil : "\(endpoint) answers \(status): \(head.grpcMessage)", of: self)
    }

    func connectionChanged(_ event: ConnectionEvent, on connection: ClientConnection) {
        guard case .failed(_, let reason) = event else { return }
        traffic.disconnected("the connection to \(endpoint) was given up: \(reason)")
    }
}

/// What a connection does with its streams. All calls come on its event loop.
///
/// The connection comes with each call: a reference of the traffic's own would cost a retain and a check for each use.
protocol Traffic: AnyObject {
    func begin(on connection: LoadConnection)
    func received(_ message: UnsafeRawBufferPointer, on stream: StreamID, of connection: LoadConnection)
    /// - Parameter error: Why the call failed; `nil` when it did not.
    func completed(_ stream: StreamID, _ error: String?, of connection: LoadConnection)
    func disconnected(_ reason: String)
}

/// What the traffic of one event loop shares.
final class LoopShare {
    let options: BenchOptions
    let progress: Progress
    let recorder: Recorder
    /// Called once everything is done, or cannot go on.
    let finished: @Sendable () -> Void

    init(options: BenchOptions, progress: Progress, recorder: Recorder, finished: @escaping @Sendable () -> Void) {
        self.options = options
        self.progress = progress
        self.recorder = recorder
        self.finished = finished
    }

    /// When operation `index` is due; `nil` without a rate.
    func due(_ index: Int) -> UInt64? {
        guard options.rate > 0 else { return nil }
        return progress.started + UInt64(Double(index) * 1e9 / Double(options.rate))
    }
}
