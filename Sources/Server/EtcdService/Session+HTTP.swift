internal import StrakeHTTP2

extension Session {
    /// Answers a plain request that came over HTTP/2.
    func answer(_ request: HTTPRequest, on stream: StreamID) {
        streams[stream]?.role = .httpAsked
        HTTPEndpoints(loop: loop).answer(request) { self.respond(to: request, $0, on: stream) }
    }

    private func respond(to request: HTTPRequest, _ answer: HTTPAnswer, on stream: StreamID) {
        guard streams.remove(stream) != nil else { return }
        loop.touch(self)
        let body = request.method == "HEAD" ? [] : Array(answer.body.utf8)
        let headers =
            answer.headers.map { HeaderField($0.name, $0.value) }
            + [HeaderField("content-length", String(answer.body.utf8.count))]
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
