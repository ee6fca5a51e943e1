internal import NIOCore
internal import NIOPosix
internal import StrakeHTTP2
internal import Synchronization

/// A gRPC server on 127.0.0.1 that answers as its script says, and remembers what it was asked.
final class ScriptedServer: Sendable {
    struct Request: Sendable {
        /// How many requests came before it, on all connections.
        var number: Int
        var method: String
        var message: [UInt8]
        var hasTimeout: Bool
        var requiresLeader: Bool
        var token: String?
    }

    enum Action: Sendable {
        /// A unary answer.
        case answer([UInt8])
        /// Messages of a stream that stays open.
        case messages([[UInt8]])
        case status(GRPCStatus, String)
        case reset(ErrorCode)
        /// The messages, then the end of the connection.
        case close(after: [[UInt8]])
        case silence
    }

    typealias Script = @Sendable (Request) -> Action

    static let methods = MethodTable(paths: [
        "/etcdserverpb.KV/Range", "/etcdserverpb.KV/Put", "/etcdserverpb.KV/Txn", "/etcdserverpb.Watch/Watch",
        "/etcdserverpb.Lease/LeaseKeepAlive", "/etcdserverpb.Lease/LeaseGrant", "/etcdserverpb.Maintenance/Snapshot",
        "/etcdserverpb.Auth/Authenticate",
    ])

    fileprivate struct State {
        var requests: [Request] = []
        var connections = 0
        var resets = 0
        var queuedBytes = 0
    }

    fileprivate let state = Mutex(State())
    private let channel: any Channel

    static func start(_ script: @escaping Script) async throws -> ScriptedServer {
        let holder = Mutex<ScriptedServer?>(nil)
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let server = holder.withLock({ $0 }) else { throw ChannelError.ioOnClosedChannel }
                    try channel.pipeline.syncOperations.addHandler(ScriptHandler(server, script))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let server = ScriptedServer(channel)
        holder.withLock { $0 = server }
        return server
    }

    private init(_ channel: any Channel) {
        self.channel = channel
    }

    var endpoint: String { "127.0.0.1:\(channel.localAddress?.port ?? 0)" }
    var requests: [Request] { state.withLock { $0.requests } }
    var connections: Int { state.withLock { $0.connections } }
    var resets: Int { state.withLock { $0.resets } }
    /// What the newest stream has accepted and cannot send.
    var queuedBytes: Int { state.withLock { $0.queuedBytes } }

    /// No more connections; those that are there stay.
    func stop() async { try? await channel.close() }
}

private final class ScriptHandler: ChannelInboundHandler, ServerHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let server: ScriptedServer
    private let script: ScriptedServer.Script
    private let engine = ServerConnection(methods: ScriptedServer.methods)
    private var heads: [StreamID: ScriptedServer.Request] = [:]
    private var context: ChannelHandlerContext?
    private var closes = false

    init(_ server: ScriptedServer, _ script: @escaping ScriptedServer.Script) {
        self.server = server
        self.script = script
    }

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        server.state.withLock { $0.connections += 1 }
        flush()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var handler = self
        unwrapInboundIn(data).withUnsafeReadableBytes {
            engine.receive($0, now: NIODeadline.now().uptimeNanoseconds, handler: &handler)
        }
        flush()
    }

    private func flush() {
        guard let context else { return }
        while engine.outputCount > 0 {
            var buffer = context.channel.allocator.buffer(capacity: engine.outputCount)
            engine.takeOutput { _ = buffer.writeBytes($0) }
            context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
            var handler = self
            engine.resumeWriting(handler: &handler)
        }
        let queued = engine.queuedBytesTotal
        server.state.withLock { $0.queuedBytes = queued }
        // What was written goes first.
        if closes { context.close(promise: nil) }
    }

    func callOpened(_ stream: StreamID, _ head: RequestHead, on connection: ServerConnection) {
        heads[stream] = ScriptedServer.Request(
            number: 0, method: ScriptedServer.methods.paths[head.method], message: [],
            hasTimeout: head.timeoutNanoseconds != .max, requiresLeader: head.string(of: "hasleader") == "true",
            token: head.string(of: "token"))
    }

    func messageReceived(
        _ stream: StreamID, _ message: UnsafeRawBufferPointer, isLast: Bool, on connection: ServerConnection
    ) {
        guard var request = heads[stream] else { return }
        request.message = Array(message)
        request.number = server.state.withLock { state in
            request.number = state.requests.count
            state.requests.append(request)
            return request.number
        }
        obey(script(request), stream)
    }

    private func obey(_ action: ScriptedServer.Action, _ stream: StreamID) {
        switch action {
        case .answer(let message): message.withUnsafeBytes { _ = engine.sendReply(stream, $0) }
        case .messages(let messages): send(messages, stream)
        case .status(let status, let message): engine.finish(stream, status, message: message)
        case .reset(let code): engine.reset(stream, code)
        case .close(let messages):
            send(messages, stream)
            closes = true
        case .silence: break
        }
    }

    private func send(_ messages: [[UInt8]], _ stream: StreamID) {
        for message in messages { message.withUnsafeBytes { _ = engine.sendMessage(stream, $0) } }
    }

    func endReceived(_ stream: StreamID, on connection: ServerConnection) {}

    func streamClosed(_ stream: StreamID, _ reason: CloseReason, on connection: ServerConnection) {
        server.state.withLock { $0.resets += 1 }
    }

    func connectionChanged(_ event: ConnectionEvent, on connection: ServerConnection) {}
}
