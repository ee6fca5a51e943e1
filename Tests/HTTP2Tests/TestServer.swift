internal import StrakeHTTP2

/// A server engine and its user: notes what happens, answers as told.
final class TestServer: ServerHandler {
    enum Answer {
        /// Nothing: the test answers.
        case nothing
        /// Each message comes back; OK at the end.
        case echo
        /// The first message comes back as a unary answer.
        case unary
    }

    static let methods = MethodTable(paths: ["/test.Echo/Say", "/test.Echo/Stream"])

    let connection: ServerConnection
    var answer: Answer
    var log: [String] = []
    var messages: [UInt32: [[UInt8]]] = [:]
    var streams: [UInt32: StreamID] = [:]
    var fields: [(String, String)] = []
    var timeout: UInt64 = 0
    var bodies: [UInt32: [UInt8]] = [:]
    var onWritable: ((StreamID, Int, ServerConnection) -> Void)?
    var now: UInt64 = 1_000_000_000

    init(_ answer: Answer = .nothing, configure: (inout ServerConfiguration) -> Void = { _ in }) {
        var configuration = ServerConfiguration()
        configure(&configuration)
        connection = ServerConnection(methods: Self.methods, configuration: configuration)
        self.answer = answer
    }

    /// With the handshake behind it and nothing in the output.
    static func ready(
        _ answer: Answer = .nothing, settings: [(UInt16, UInt32)] = [],
        configure: (inout ServerConfiguration) -> Void = { _ in }
    ) -> TestServer {
        let server = TestServer(answer, configure: configure)
        server.receive(Wire.magic + Wire.settings(settings))
        _ = server.take()
        return server
    }

    func receive(_ bytes: [UInt8]) {
        var handler = self
        bytes.withUnsafeBytes { connection.receive($0, now: now, handler: &handler) }
    }

    func resume() {
        var handler = self
        connection.resumeWriting(handler: &handler)
    }

    func take() -> [UInt8] {
        var bytes: [UInt8] = []
        connection.takeOutput { bytes = Array($0) }
        return bytes
    }

    /// Whole frames written since the last time.
    func frames() -> [ReadFrame] { ReadFrame.all(take()) ?? [] }

    func send(_ stream: UInt32, _ bytes: [UInt8]) {
        _ = bytes.withUnsafeBytes { connection.sendMessage(streams[stream]!, $0) }
    }

    func callOpened(_ stream: StreamID, _ head: RequestHead, on connection: ServerConnection) {
        streams[stream.number] = stream
        timeout = head.timeoutNanoseconds
        note(head)
        log.append("call \(stream.number) method \(head.method)")
    }

    func messageReceived(
        _ stream: StreamID, _ message: UnsafeRawBufferPointer, isLast: Bool, on connection: ServerConnection
    ) {
        messages[stream.number, default: []].append(Array(message))
        log.append("message \(stream.number) \(message.count)\(isLast ? " last" : "")")
        switch answer {
        case .nothing: break
        case .echo: connection.sendMessage(stream, message)
        case .unary: connection.sendReply(stream, message)
        }
    }

    func requestOpened(_ stream: StreamID, _ head: RequestHead, on connection: ServerConnection) {
        streams[stream.number] = stream
        note(head)
        log.append("request \(stream.number) \(String(decoding: head.path, as: UTF8.self))")
    }

    func bodyReceived(_ stream: StreamID, _ bytes: UnsafeRawBufferPointer, on connection: ServerConnection) {
        bodies[stream.number, default: []] += bytes
    }

    func endReceived(_ stream: StreamID, on connection: ServerConnection) {
        log.append("end \(stream.number)")
        if answer == .echo { connection.finish(stream) }
    }

    func streamClosed(_ stream: StreamID, _ reason: CloseReason, on connection: ServerConnection) {
        log.append("closed \(stream.number) \(reason)")
    }

    func streamWritable(_ stream: StreamID, capacity: Int, on connection: ServerConnection) {
        onWritable?(stream, capacity, connection)
    }

    func connectionChanged(_ event: ConnectionEvent, on connection: ServerConnection) {
        log.append("\(event)")
    }

    private func note(_ head: RequestHead) {
        fields = []
        head.visit { fields.append((String(decoding: $0, as: UTF8.self), String(decoding: $1, as: UTF8.self))) }
    }
}
