internal import NIOCore
internal import NIOHTTP1
internal import StrakeStore

/// Health, version and metrics over HTTP/1.1, for probes and scrapers that do not speak HTTP/2.
final class HTTP1Handler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let endpoints: HTTPEndpoints
    private var request: HTTPRequestHead?
    /// While the connection is open.
    private var context: ChannelHandlerContext?

    init(loop: LoopContext, port: HTTPEndpoints.Port = .client) {
        endpoints = HTTPEndpoints(loop: loop, port: port)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): request = head
        case .body: break
        case .end:
            guard let head = request else { return }
            request = nil
            // The next request of the connection waits until this one is answered.
            endpoints.answer(HTTPRequest(method: head.method.rawValue, target: head.uri)) { answer in
                self.respond(to: head, answer)
            }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func respond(to head: HTTPRequestHead, _ answer: HTTPAnswer) {
        guard let context else { return }
        var headers = HTTPHeaders(answer.headers.map { ($0.name, $0.value) })
        headers.replaceOrAdd(name: "content-length", value: String(answer.body.utf8.count))
        if !head.isKeepAlive { headers.replaceOrAdd(name: "connection", value: "close") }
        let response = HTTPResponseHead(
            version: head.version, status: HTTPResponseStatus(statusCode: answer.status), headers: headers)
        context.write(wrapOutboundOut(.head(response)), promise: nil)
        if head.method != .HEAD, !answer.body.isEmpty {
            context.write(
                wrapOutboundOut(.body(.byteBuffer(context.channel.allocator.buffer(string: answer.body)))), promise: nil
            )
        }
        let closes = !head.isKeepAlive
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in
            if closes { channel.close(promise: nil) }
        }
    }
}
