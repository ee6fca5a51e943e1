internal import NIOCore
internal import NIOPosix
package import StrakeStore
package import StrakeTLS

/// Asks members of a running cluster who is in it: what a member that was added has to know before it can greet anybody.
///
/// The question is a plain HTTP/1.1 request on the peer port, so that an operator can ask it too.
package enum ClusterDiscovery {
    /// A longer answer is not one.
    static let answerBytesMax = 1 << 20

    /// The first answer that one of the URLs gives; nil when none does.
    ///
    /// - Parameter milliseconds: For each URL.
    package static func ask(
        _ urls: [PeerURL], tls: TLSClient = TLSClient(TLSOptions()), milliseconds: Int = 2_000
    ) async -> ClusterDescription? {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        var found: ClusterDescription?
        for url in urls where found == nil { found = await ask(url, tls, on: group, milliseconds: milliseconds) }
        try? await group.shutdownGracefully()
        return found
    }

    private static func ask(
        _ url: PeerURL, _ tls: TLSClient, on group: MultiThreadedEventLoopGroup, milliseconds: Int
    ) async -> ClusterDescription? {
        let patience = TimeAmount.milliseconds(Int64(milliseconds))
        let answer = group.next().makePromise(of: String.self)
        let bootstrap = ClientBootstrap(group: group).connectTimeout(patience).channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                if url.isSecure { try tls.secure(channel, host: url.host) }
                try channel.pipeline.syncOperations.addHandler(AnswerReader(answer))
            }
        }
        do {
            let channel = try await bootstrap.connect(host: url.host, port: url.port).get()
            channel.eventLoop.scheduleTask(in: patience) { channel.close(promise: nil) }
            let request =
                "GET \(PeerEndpoints.discoveryPath) HTTP/1.1\r\nHost: \(url.host):\(url.port)\r\n"
                + "Connection: close\r\n\r\n"
            channel.writeAndFlush(ByteBuffer(string: request), promise: nil)
            return description(in: try await answer.futureResult.get())
        } catch {
            answer.fail(error)
            return nil
        }
    }

    static func description(in answer: String) -> ClusterDescription? {
        guard answer.hasPrefix("HTTP/1.1 200 "), let end = answer.firstRange(of: "\r\n\r\n") else { return nil }
        return ClusterDescription(String(answer[end.upperBound...]))
    }
}

/// Gathers what comes until the other side closes.
private final class AnswerReader: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let answer: EventLoopPromise<String>
    private var bytes = ByteBuffer()

    init(_ answer: EventLoopPromise<String>) {
        self.answer = answer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        bytes.writeImmutableBuffer(unwrapInboundIn(data))
        if bytes.readableBytes > ClusterDiscovery.answerBytesMax { context.close(promise: nil) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        answer.succeed(String(buffer: bytes))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        answer.fail(error)
        context.close(promise: nil)
    }
}
