internal import NIOCore
internal import NIOPosix
internal import StrakeClientFlags
internal import StrakeFlags
internal import StrakeHTTP2
internal import StrakeSockets
internal import StrakeTLS
internal import Synchronization

/// How a call failed: with a status of the server's, or without one.
struct CallError: Error {
    /// `nil`: nobody answered.
    var status: GRPCStatus?
    var message: String
}

/// One gRPC call on a connection of its own: what a command needs that asks now and then.
struct GRPCCall {
    /// Takes a message of the answer. It may wait for the disk: the server sends no more meanwhile than fits on the way.
    typealias Taker = @Sendable ([UInt8]) throws(CallError) -> Void

    var path: String
    var message: [UInt8]
    var security: ClientSecurity
    /// Of the user who asks.
    var token: String?

    private static let connectSeconds: Int64 = 2
    /// Longer than a server takes to give up.
    fileprivate static let answerSeconds: Int64 = 15

    /// A unary call's answer.
    func run(at endpoint: Endpoint, on group: MultiThreadedEventLoopGroup) async throws(CallError) -> [UInt8] {
        let answer = Mutex<[UInt8]>([])
        try await run(at: endpoint, on: group) { message throws(CallError) in answer.withLock { $0 = message } }
        return answer.withLock { $0 }
    }

    func run(
        at endpoint: Endpoint, on group: MultiThreadedEventLoopGroup, each: @escaping Taker
    ) async throws(CallError) {
        let answer = group.next().makePromise(of: Result<Void, CallError>.self)
        let call = self
        let tls = security.tls(for: endpoint)
        let bootstrap = ClientBootstrap(group: group).connectTimeout(.seconds(Self.connectSeconds))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try tls?.secure(channel, host: endpoint.host)
                    try channel.pipeline.syncOperations.addHandler(
                        CallHandler(call, "\(endpoint)", scheme: tls == nil ? "http" : "https", answer, each))
                }
            }
        let channel: any Channel
        do {
            channel = try await bootstrap.connect(host: endpoint.host, port: endpoint.port).get()
        } catch {
            answer.succeed(.failure(CallError(message: "")))
            throw CallError(message: "cannot connect to \(endpoint): \(ConnectFailure.reason(of: error))")
        }
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
    private let call: GRPCCall
    private let authority: String
    private let scheme: String
    private var answer: EventLoopPromise<Result<Void, CallError>>?
    private let each: GRPCCall.Taker
    /// Something has come since the last look.
    private var isMoving = false

    init(
        _ call: GRPCCall, _ authority: String, scheme: String, _ answer: EventLoopPromise<Result<Void, CallError>>,
        _ each: @escaping GRPCCall.Taker
    ) {
        self.call = call
        self.authority = authority
        self.scheme = scheme
        self.answer = answer
        self.each = each
    }

    func channelActive(context: ChannelHandlerContext) {
        let metadata = call.token.map { [HeaderField("token", $0, isSensitive: true)] } ?? []
        let fields = ClientConnection.grpcFields(
            path: call.path, authority: authority, scheme: scheme, metadata: metadata)
        let template = engine.register(fields, isGRPC: true)
        let stream = call.message.withUnsafeBytes { engine.call(template, $0) }
        if stream == nil { end(.failure(CallError(message: "\(authority) takes no calls"))) }
        flush(context)
        watchForStall(context)
    }

    private func watchForStall(_ context: ChannelHandlerContext) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: .seconds(GRPCCall.answerSeconds)) {
            let (handler, context) = bound.value
            guard handler.answer != nil else { return }
            guard handler.isMoving else {
                handler.end(.failure(CallError(message: "\(handler.authority) has not answered")))
                return context.close(promise: nil)
            }
            handler.isMoving = false
            handler.watchForStall(context)
        }
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
        end(.failure(CallError(message: "\(authority): \(TLSFailure.reason(of: error))")))
        context.close(promise: nil)
    }

    private func flush(_ context: ChannelHandlerContext) {
        guard engine.outputCount > 0 else { return }
        var buffer = context.channel.allocator.buffer(capacity: engine.outputCount)
        engine.takeOutput { _ = buffer.writeBytes($0) }
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
    }

    private func end(_ result: Result<Void, CallError>) {
        answer?.succeed(result)
        answer = nil
    }

    func messageReceived(_ stream: StreamID, _ message: UnsafeRawBufferPointer, on connection: ClientConnection) {
        guard answer != nil else { return }
        isMoving = true
        do throws(CallError) { try each(Array(message)) } catch { end(.failure(error)) }
    }

    func callCompleted(
        _ stream: StreamID, _ status: GRPCStatus, _ head: ResponseHead, on connection: ClientConnection
    ) {
        end(status == .ok ? .success(()) : .failure(CallError(status: status, message: head.grpcMessage)))
    }

    func connectionChanged(_ event: ConnectionEvent, on connection: ClientConnection) {
        if case .failed = event { end(.failure(CallError(message: "\(authority) does not speak gRPC"))) }
    }
}
