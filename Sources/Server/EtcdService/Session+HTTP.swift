internal import StrakeGateway
internal import StrakeHTTP2
internal import StrakeSockets

extension Session {
    /// A plain request begins.
    func opened(_ stream: StreamID, _ head: RequestHead) {
        let host = head.authority.isEmpty ? head.value(of: "host") : head.authority
        let request = HTTPRequest(
            method: String(decoding: head.httpMethod, as: UTF8.self),
            target: String(decoding: head.path, as: UTF8.self),
            host: host.map { String(decoding: $0, as: UTF8.self) } ?? "", origin: head.string(of: "origin"),
            isSecure: isSecure)
        guard let route = endpoints.gatewayRoute(of: request) else {
            streams[stream] = StreamState(id: stream, method: nil, role: .http(request))
            if head.isEnd { answer(request, on: stream) }
            return
        }
        let exchange = gatewayExchange(route, request, head, on: stream)
        streams[stream] = StreamState(id: stream, method: nil, role: .gateway(exchange))
        exchange.start()
        if head.isEnd { exchange.bodyEnded() }
    }

    private func gatewayExchange(
        _ route: GatewayRoute, _ request: HTTPRequest, _ head: RequestHead, on stream: StreamID
    ) -> GatewayExchange {
        let headers = endpoints.gatewayHeaders(for: request)
        let responder = GatewayStream(stream, of: self, headers: headers)
        do throws(GatewayError) {
            var fields: [(String, String)] = []
            head.visit { name, value in
                fields.append((String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self)))
            }
            return GatewayExchange(route, try GatewayHead(fields), responder: responder, loop: loop)
        } catch {
            return GatewayExchange(route, refusing: error, responder: responder, loop: loop)
        }
    }

    /// Answers a plain request that came over HTTP/2.
    func answer(_ request: HTTPRequest, on stream: StreamID) {
        streams[stream]?.role = .httpAsked
        endpoints.answer(request) { self.respond(to: request, $0, on: stream) }
    }

    private func respond(to request: HTTPRequest, _ answer: HTTPAnswer, on stream: StreamID) {
        guard streams.remove(stream) != nil else { return }
        loop.touch(self)
        let body = request.method == "HEAD" ? [] : Array(answer.body.utf8)
        let headers =
            answer.headers.map { HeaderField($0.name, $0.value) }
            + [
                HeaderField("content-length", String(answer.body.utf8.count)),
                HeaderField("date", HTTPDate.now.description),
            ]
        guard engine.respond(stream, status: answer.status, headers: headers, endOfStream: body.isEmpty),
            !body.isEmpty, let memory = engine.beginBytes(stream, bytesMax: body.count)
        else { return }
        body.withUnsafeBytes { memory.copyMemory(from: $0) }
        engine.endBytes(stream, count: body.count)
        _ = engine.endBody(stream)
    }

    /// The connection ends once what it has to say is out.
    func closeAfterOutput() {
        isClosing = true
        loop.touch(self)
    }
}
