internal import NIOCore
internal import NIOPosix
internal import StrakeFlags
internal import StrakeHTTP2
internal import StrakeSockets

/// How a call failed: with a status of the server's, or without one.
struct CallError: Error {
    /// `nil`: nobody answered.
    var status: GRPCStatus?
    var message: String
}

/// One gRPC call on a connection of its own: what a command needs that asks now and then.
struct UnaryCall {
    var path: String
    var message: [UInt8]

    private static let connectSeconds: Int64 = 2
    /// Longer than a server takes to give up.
    private static let answerSeconds: Int64 = 15

    func run(at endpoint: Endpoint, on group: MultiThreadedEventLoopGroup) async throws(CallError) -> [UInt8] {
        let answer = group.next().makePromise(of: Result<[UInt8], CallError>.self)
        let call = self
        let bootstrap = ClientBootstrap(group: group).connectTimeout(.seconds(Self.connectSeconds))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(CallHandler(call, "\(endpoint)", answer))
                }
            }
        let channel: any Channel
        do {
            channel = try await bootstrap.connect(host: endpoint.host, port: endpoint.port).get()
        } catch {
            answer.succeed(.failure(CallError(message: "")))
            throw CallError(message: "cannot connect to \(endpoint): \(ConnectFailure.reason(of: error))")
        }
        channel.eventLoop.scheduleTask(in: .seconds(Self.answerSeconds)) { channel.close(promise: nil) }
        guard let result = try? await answer.futureResult.get() else {
            throw CallError(message: "\(endpoint) has not answered")
        }
        channel.close(promise: nil)
        return try result.get()
    }
}

/// Sends the call when the connection is open, and waits for its end.
private final class CallHandler: ChannelInboundHandler, ClientHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let engine = ClientConnection()
    private let call: UnaryCall
    private let authority: String
    private var answer: EventLoopPromise<Result<[UInt8], CallError>>?
    private var received: [UInt8] = []

    init(_ call: UnaryCall, _ authority: String, _ answer: EventLoopPromise<Result<[UInt8], CallError>>) {
        self.call = call
        self.authority = authority
        self.answer = answer
    }

    func channelActive(context: ChannelHandlerContext) {
        let fields = ClientConnection.grpcFields(path: call.path, authority: authority)
        let template = engine.register(fields, isGRPC: true)
        let stream = call.message.withUnsafeBytes { engine.call(template, $0) }
        if stream == nil { end(.failure(CallError(message: "\(authority) takes no calls"))) }
        flush(context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var handler = self
        unwrapInboundIn(data).withUnsafeReadableBytes { engine.receive($0, now: 0, handler: &handler) }
    }

    func channelReadComplete(context: ChannelHandlerContext) { flush(context) }

    func channelInactive(context: ChannelHandlerContext) {
        end(.failure(CallError(message: "\(authority) has closed the connection")))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end(.failure(CallError(message: "\(authority): \(error)")))
        context.close(promise: nil)
    }

    private func flush(_ context: ChannelHandlerContext) {
        guard engine.outputCount > 0 else { return }
        var buffer = context.channel.allocator.buffer(capacity: engine.outputCount)
        engine.takeOutput { _ = buffer.writeBytes($0) }
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
    }

    private func end(_ result: Result<[UInt8], CallError>) {
        answer?.succeed(result)
        answer = nil
    }

    func messageReceived(_ stream: StreamID, _ message: UnsafeRawBufferPointer, on connection: ClientConnection) {
        received = Array(message)
    }

    func callCompleted(
        _ stream: StreamID, _ status: GRPCStatus, _ head: ResponseHead, on connection: ClientConnection
    ) {
        end(status == .ok ? .success(received) : .failure(CallError(status: status, message: head.grpcMessage)))
    }

    func connectionChanged(_ event: ConnectionEvent, on connection: ClientConnection) {
        if case .failed = event { end(.failure(CallError(message: "\(authority) does not speak gRPC"))) }
    }
}
