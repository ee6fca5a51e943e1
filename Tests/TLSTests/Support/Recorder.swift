import NIOCore
import NIOPosix

/// Listens, and keeps what the first client says first.
final class Recorder: Sendable {
    let port: Int
    private let channel: any Channel
    private let bytes: AsyncStream<[UInt8]>

    private init(_ channel: any Channel, _ bytes: AsyncStream<[UInt8]>) {
        self.channel = channel
        self.bytes = bytes
        port = channel.localAddress?.port ?? 0
    }

    static func start() async throws -> Recorder {
        let (stream, continuation) = AsyncStream.makeStream(of: [UInt8].self)
        let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Listener(continuation))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return Recorder(channel, stream)
    }

    func next() async -> [UInt8] {
        var iterator = bytes.makeAsyncIterator()
        return await iterator.next() ?? []
    }

    func stop() async { try? await channel.close() }
}

/// Hands on what comes, and hangs up.
private final class Listener: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let heard: AsyncStream<[UInt8]>.Continuation

    init(_ heard: AsyncStream<[UInt8]>.Continuation) {
        self.heard = heard
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        heard.yield(Array(unwrapInboundIn(data).readableBytesView))
        context.close(promise: nil)
    }
}
