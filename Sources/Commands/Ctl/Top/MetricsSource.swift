internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import StrakeClient
internal import StrakeSockets
internal import StrakeTLS

/// Fetches a member's page of metrics, again and again over one connection, by HTTP/1.1: etcd's port for clients takes
/// HTTP/2 for gRPC only.
actor MetricsSource {
    struct Failure: Error {
        var message: String
        /// All the time is gone that there was.
        var isLate = false
    }

    private let address: Address
    private let tls: TLSClient?
    private let patience: TimeAmount
    private var channel: (any Channel)?

    /// - Parameters:
    ///   - tls: Nil: the connection is not protected.
    ///   - patience: For connecting, and for the page.
    init(_ address: Address, _ tls: TLSClient?, patience: Duration) {
        self.address = address
        self.tls = tls
        self.patience = TimeAmount(patience)
    }

    deinit { channel?.close(promise: nil) }

    func page() async -> Result<[UInt8], Failure> {
        do {
            if let channel, channel.isActive {
                do {
                    return .success(try await Self.ask(channel, patience))
                } catch let failure as Failure where failure.isLate {
                    throw failure
                } catch {
                    // A connection that was idle may end just when it is asked.
                }
            }
            channel?.close(promise: nil)
            channel = nil
            let made = try await connect()
            channel = made
            return .success(try await Self.ask(made, patience))
        } catch {
            channel?.close(promise: nil)
            channel = nil
            return .failure(error as? Failure ?? Failure(message: "metrics: \(TLSFailure.reason(of: error))"))
        }
    }

    private func connect() async throws -> any Channel {
        let (tls, host, authority) = (tls, address.host, address.authority)
        let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connectTimeout(patience)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try tls?.secure(channel, host: host)
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    try channel.pipeline.syncOperations.addHandler(PageHandler(authority: authority))
                }
            }
        do {
            switch address.place {
            case .host(let host, let port): return try await bootstrap.connect(host: host, port: port).get()
            case .socket(let path): return try await bootstrap.connect(unixDomainSocketPath: path).get()
            }
        } catch {
            throw Failure(message: "metrics: cannot connect to \(address.text): \(ConnectFailure.reason(of: error))")
        }
    }

    private static func ask(_ channel: any Channel, _ patience: TimeAmount) async throws -> [UInt8] {
        try await channel.eventLoop.flatSubmit { () -> EventLoopFuture<[UInt8]> in
            do {
                let handler = try channel.pipeline.syncOperations.handler(type: PageHandler.self)
                return handler.ask(channel, patience)
            } catch {
                return channel.eventLoop.makeFailedFuture(Failure(message: "metrics: the connection has ended"))
            }
        }.get()
    }
}

/// One request at a time, and its answer.
private final class PageHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    /// A longer page ends the connection.
    private static let pageBytesMax = 8 << 20

    private let authority: String
    private var answer: EventLoopPromise<[UInt8]>?
    private var status = HTTPResponseStatus.ok
    private var page: [UInt8] = []

    init(authority: String) {
        self.authority = authority
    }

    func ask(_ channel: any Channel, _ patience: TimeAmount) -> EventLoopFuture<[UInt8]> {
        precondition(answer == nil, "\(authority) is asked for its metrics twice at once")
        let answer = channel.eventLoop.makePromise(of: [UInt8].self)
        self.answer = answer
        page = []
        let bound = NIOLoopBound(self, eventLoop: channel.eventLoop)
        let late = channel.eventLoop.scheduleTask(in: patience) {
            bound.value.fail("it does not answer", isLate: true)
            channel.close(promise: nil)
        }
        answer.futureResult.whenComplete { _ in late.cancel() }
        let headers = HTTPHeaders([("host", authority), ("user-agent", "strake"), ("accept", "text/plain")])
        let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/metrics", headers: headers)
        channel.write(HTTPClientRequestPart.head(head), promise: nil)
        channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
        return answer.futureResult
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): status = head.status
        case .body(let bytes):
            page += bytes.readableBytesView
            if page.count > Self.pageBytesMax {
                fail("the page is longer than \(Self.pageBytesMax) bytes")
                context.close(promise: nil)
            }
        case .end:
            guard status == .ok else { return fail("the answer's status is \(status.code)") }
            answer?.succeed(page)
            (answer, page) = (nil, [])
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail("the connection was closed")
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(TLSFailure.reason(of: error))
        context.close(promise: nil)
    }

    private func fail(_ reason: String, isLate: Bool = false) {
        answer?.fail(MetricsSource.Failure(message: "metrics of \(authority): \(reason)", isLate: isLate))
        (answer, page) = (nil, [])
    }
}
