internal import StrakeHTTP2
internal import StrakeSockets

/// The answer of the gateway on a stream of HTTP/2.
final class GatewayStream: GatewayResponder {
    private let stream: StreamID
    /// Which holds this one while the request is in hand.
    private unowned let session: Session
    /// Headers of all answers.
    private let headers: [(name: String, value: String)]

    init(_ stream: StreamID, of session: Session, headers: [(name: String, value: String)]) {
        self.stream = stream
        self.session = session
        self.headers = headers
    }

    func awaitsRoom() -> Bool {
        let engine = session.engine
        guard engine.queuedBytes(stream) > WatchSink.streamBytesMax || engine.outputCount > WatchSink.socketBytesMax
        else {
            return false
        }
        engine.requestWrite(stream)
        return true
    }

    func begin(status: Int, headers: [(name: String, value: String)], length: Int?) {
        var fields = (headers + self.headers).map { HeaderField($0.name, $0.value) }
        fields.append(HeaderField("date", HTTPDate.now.description))
        if let length { fields.append(HeaderField("content-length", String(length))) }
        _ = session.engine.respond(stream, status: status, headers: fields, endOfStream: false)
    }

    func write(_ bytes: [UInt8]) {
        guard !bytes.isEmpty, let memory = session.engine.beginBytes(stream, bytesMax: bytes.count) else { return }
        bytes.withUnsafeBytes { memory.copyMemory(from: $0) }
        session.engine.endBytes(stream, count: bytes.count)
    }

    func end() {
        session.streams.remove(stream)
        _ = session.engine.endBody(stream)
        flush()
    }

    func abort() {
        session.streams.remove(stream)
        session.engine.reset(stream, .internalError)
        flush()
    }

    func flush() { session.loop.touch(session) }
}
