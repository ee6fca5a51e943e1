import NIOCore
import NIOPosix
import StrakeTLS
import Synchronization

/// Listens with TLS and tells each client who it is: its common name, or "plain", or "nobody".
final class TestServer: Sendable {
    let port: Int
    private let channel: any Channel
    private let reports: Reports

    private final class Reports: Sendable {
        let rejections = AsyncStream.makeStream(of: RejectedConnection.self)
        let rejectionCount = Mutex(0)
        let problems = Mutex<[TLSError]>([])

        func add(_ rejection: RejectedConnection) {
            rejectionCount.withLock { $0 += 1 }
            rejections.continuation.yield(rejection)
        }
    }

    private init(_ channel: any Channel, _ reports: Reports) {
        self.channel = channel
        self.reports = reports
        port = channel.localAddress?.port ?? 0
    }

    static func start(_ options: TLSOptions, admitsPlain: Bool = false) async throws -> TestServer {
        let reports = Reports()
        let server = try TLSServer(
            options, onProblem: { problem in reports.problems.withLock { $0.append(problem) } },
            onRejected: { reports.add($0) })
        let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try server.protect(channel, admitsPlain: admitsPlain) { channel, peer in
                        let name = peer.map { $0.commonName ?? "nobody" } ?? "plain"
                        try channel.pipeline.syncOperations.addHandler(Greeter(name))
                    }
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return TestServer(channel, reports)
    }

    /// Waits for the next report of somebody who was not let in.
    func nextRejection() async -> RejectedConnection {
        var iterator = reports.rejections.stream.makeAsyncIterator()
        return await iterator.next() ?? RejectedConnection(address: "", reason: "none")
    }

    var rejectionCount: Int { reports.rejectionCount.withLock { $0 } }
    var problems: [TLSError] { reports.problems.withLock { $0 } }

    func stop() async { try? await channel.close() }

    /// What the server answers to a few bytes; the reason when the connection fails.
    func ask(
        _ tls: TLSClient?, host: String = "127.0.0.1", saying text: String = "hello", at port: Int? = nil
    ) async -> String {
        let answer = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: String.self)
        do {
            let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try tls?.secure(channel, host: host)
                        try channel.pipeline.syncOperations.addHandler(Asker(answer))
                    }
                }
                .connect(host: "127.0.0.1", port: port ?? self.port).get()
            channel.writeAndFlush(ByteBuffer(string: text), promise: nil)
            let text = try await answer.futureResult.get()
            try? await channel.close()
            return text
        } catch {
            answer.fail(error)
            return TLSFailure.reason(of: error)
        }
    }
}

extension TestServer {
    /// Sends the pieces one by one and says no more. What the server has said until it ended the connection.
    func say(_ pieces: [[UInt8]]) async -> String {
        let heard = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: String.self)
        do {
            let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(Hearer(heard))
                    }
                }
                .connect(host: "127.0.0.1", port: port).get()
            for piece in pieces { try? await channel.writeAndFlush(ByteBuffer(bytes: piece)).get() }
            try? await channel.close(mode: .output).get()
            return try await heard.futureResult.get()
        } catch {
            heard.fail(error)
            return "\(error)"
        }
    }
}

/// Collects what comes until there is no more.
private final class Hearer: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let heard: EventLoopPromise<String>
    private var bytes = ByteBuffer()

    init(_ heard: EventLoopPromise<String>) {
        self.heard = heard
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        bytes.writeBuffer(&buffer)
    }

    func channelInactive(context: ChannelHandlerContext) {
        heard.succeed(String(buffer: bytes))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        heard.succeed(String(buffer: bytes))
        context.close(promise: nil)
    }
}

private final class Greeter: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let name: String

    init(_ name: String) {
        self.name = name
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.writeAndFlush(NIOAny(ByteBuffer(string: name)), promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}

private final class Asker: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let answer: EventLoopPromise<String>

    init(_ answer: EventLoopPromise<String>) {
        self.answer = answer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        answer.succeed(String(buffer: unwrapInboundIn(data)))
    }

    func channelInactive(context: ChannelHandlerContext) {
        answer.succeed("closed")
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        answer.succeed(TLSFailure.reason(of: error))
        context.close(promise: nil)
    }
}
