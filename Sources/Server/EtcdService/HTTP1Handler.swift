internal import NIOCore
internal import NIOHTTP1
internal import StrakeGateway
internal import StrakeSockets
internal import StrakeStore

/// Health, version, metrics and the JSON gateway over HTTP/1.1, for who does not speak HTTP/2.
final class HTTP1Handler: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private let loop: LoopContext
    private let endpoints: HTTPEndpoints
    /// The connection is protected.
    private let isSecure: Bool
    private var request: HTTPRequestHead?
    /// The request in hand, when it is the gateway's.
    private var exchange: GatewayExchange?
    /// Its answer is a stream.
    private var isStreaming = false
    /// Parts of requests that came while one was looked at. An answer brings the next request at once: looked at there and
    /// then, a burst of them would go as deep as it is long.
    private var held = CircularBuffer<HTTPServerRequestPart>()
    private var isTaking = false
    private var readIsOwed = false
    /// While the connection is open.
    private var context: ChannelHandlerContext?

    init(loop: LoopContext, port: HTTPEndpoints.Port = .client, isSecure: Bool) {
        self.loop = loop
        self.isSecure = isSecure
        endpoints = HTTPEndpoints(loop: loop, port: port)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        held = []
        exchange?.cancel()
        exchange = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        exchange?.cancel()
        exchange = nil
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        held.append(unwrapInboundIn(data))
        takeHeld()
    }

    /// No request is begun while the client does not take its answers.
    private func takeHeld() {
        guard !isTaking else { return }
        isTaking = true
        while let part = held.first, let context {
            if case .head = part, !context.channel.isWritable { break }
            held.removeFirst()
            switch part {
            case .head(let head): begin(head)
            case .body(let bytes): bytes.withUnsafeReadableBytes { exchange?.bodyReceived($0) }
            case .end: endRequest()
            }
        }
        isTaking = false
        guard held.isEmpty, readIsOwed else { return }
        readIsOwed = false
        context?.read()
    }

    /// What waits here is a request, and its body may have no end.
    func read(context: ChannelHandlerContext) {
        if held.isEmpty {
            context.read()
        } else {
            readIsOwed = true
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            exchange?.drained()
            takeHeld()
        }
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func begin(_ head: HTTPRequestHead) {
        request = head
        guard let route = endpoints.gatewayRoute(of: plain(head)) else { return }
        if head.headers.first(name: "expect")?.lowercased() == "100-continue" {
            let answer = HTTPResponseHead(version: head.version, status: .continue)
            context?.writeAndFlush(wrapOutboundOut(.head(answer)), promise: nil)
        }
        let exchange = makeExchange(route, head)
        self.exchange = exchange
        exchange.start()
    }

    private func makeExchange(_ route: GatewayRoute, _ head: HTTPRequestHead) -> GatewayExchange {
        do throws(GatewayError) {
            let gatewayHead = try GatewayHead(head.headers.lazy.map { ($0.name, $0.value) })
            return GatewayExchange(route, gatewayHead, responder: self, loop: loop)
        } catch {
            return GatewayExchange(route, refusing: error, responder: self, loop: loop)
        }
    }

    private func endRequest() {
        if let exchange { return exchange.bodyEnded() }
        guard let head = request else { return }
        request = nil
        // The next request of the connection waits until this one is answered.
        endpoints.answer(plain(head)) { answer in
            self.respond(to: head, answer)
        }
    }

    private func plain(_ head: HTTPRequestHead) -> HTTPRequest {
        HTTPRequest(
            method: head.method.rawValue, target: head.uri, host: head.headers.first(name: "host") ?? "",
            origin: head.headers.first(name: "origin"), isSecure: isSecure)
    }

    private func respond(to head: HTTPRequestHead, _ answer: HTTPAnswer) {
        writeHead(head, status: answer.status, headers: answer.headers, length: answer.body.utf8.count)
        if head.method != .HEAD, !answer.body.isEmpty { writeBody(ByteBuffer(string: answer.body)) }
        endAnswer(to: head)
    }

    // MARK: Writing

    private func writeHead(
        _ request: HTTPRequestHead, status: Int, headers: [(name: String, value: String)], length: Int?
    ) {
        guard let context else { return }
        var fields = HTTPHeaders(headers.map { ($0.name, $0.value) })
        fields.add(name: "date", value: HTTPDate.now.description)
        if let length {
            fields.replaceOrAdd(name: "content-length", value: String(length))
        } else if request.version != .http1_0 {
            fields.replaceOrAdd(name: "transfer-encoding", value: "chunked")
        }
        if !keepsAlive(request, isStream: length == nil) { fields.replaceOrAdd(name: "connection", value: "close") }
        let head = HTTPResponseHead(
            version: request.version, status: HTTPResponseStatus(statusCode: status), headers: fields)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
    }

    /// A stream to a client of HTTP/1.0 has no other end than the connection's. Behind a request for another protocol, which
    /// there is none of here, the parser takes no more.
    private func keepsAlive(_ request: HTTPRequestHead, isStream: Bool) -> Bool {
        let isLast = request.method == .CONNECT || request.headers.contains(name: "upgrade")
        return request.isKeepAlive && !isLast && !(isStream && request.version == .http1_0)
    }

    private func writeBody(_ bytes: ByteBuffer) {
        context?.write(wrapOutboundOut(.body(.byteBuffer(bytes))), promise: nil)
    }

    private func endAnswer(to request: HTTPRequestHead, isStream: Bool = false) {
        guard let context else { return }
        let closes = !keepsAlive(request, isStream: isStream)
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in
            if closes { channel.close(promise: nil) }
        }
    }
}

extension HTTP1Handler: GatewayResponder {
    func awaitsRoom() -> Bool { context.map { !$0.channel.isWritable } ?? false }

    func begin(status: Int, headers: [(name: String, value: String)], length: Int?) {
        guard let request else { return }
        isStreaming = length == nil
        writeHead(
            request, status: status, headers: headers + endpoints.gatewayHeaders(for: plain(request)),
            length: length)
    }

    func write(_ bytes: [UInt8]) {
        // An empty chunk would be the last one.
        if request != nil, !bytes.isEmpty { writeBody(ByteBuffer(bytes: bytes)) }
    }

    func end() {
        guard let request else { return }
        exchange = nil
        self.request = nil
        endAnswer(to: request, isStream: isStreaming)
    }

    /// Without its last chunk, or its last bracket: by one of them a client knows that it is not whole.
    func abort() {
        exchange = nil
        request = nil
        context?.close(promise: nil)
    }

    func flush() { context?.flush() }
}
