internal import StrakeHTTP2

/// A client engine and its user.
final class TestClient: ClientHandler {
    let connection: ClientConnection
    let say: RequestTemplate
    let get: RequestTemplate
    var log: [String] = []
    var messages: [UInt32: [[UInt8]]] = [:]
    /// Of messages that come in parts: what came, and how much each part said would follow.
    var parts: [UInt32: [UInt8]] = [:]
    var rests: [UInt32: [Int]] = [:]
    var statuses: [UInt32: GRPCStatus] = [:]
    var grpcMessages: [UInt32: String] = [:]
    var bodies: [UInt32: [UInt8]] = [:]
    var responses: [UInt32: Int] = [:]
    var fields: [(String, String)] = []
    var now: UInt64 = 1_000_000_000

    init(configure: (inout ClientConfiguration) -> Void = { _ in }) {
        var configuration = ClientConfiguration()
        configure(&configuration)
        connection = ClientConnection(configuration: configuration)
        say = connection.register(
            ClientConnection.grpcFields(path: "/test.Echo/Say", authority: "localhost"), isGRPC: true)
        get = connection.register(
            [HeaderField(":method", "GET"), HeaderField(":scheme", "http"), HeaderField(":path", "/health")],
            isGRPC: false)
    }

    /// Connected to nobody, with the server's SETTINGS read and nothing in the output.
    static func ready(configure: (inout ClientConfiguration) -> Void = { _ in }) -> TestClient {
        let client = TestClient(configure: configure)
        client.receive(Wire.settings())
        _ = client.take()
        return client
    }

    func receive(_ bytes: [UInt8]) {
        var handler = self
        bytes.withUnsafeBytes { connection.receive($0, now: now, handler: &handler) }
    }

    func take() -> [UInt8] {
        var bytes: [UInt8] = []
        connection.takeOutput { bytes = Array($0) }
        return bytes
    }

    func frames() -> [ReadFrame] { ReadFrame.all(take()) ?? [] }

    func call(_ message: [UInt8]) -> StreamID? { message.withUnsafeBytes { connection.call(say, $0) } }

    func responseOpened(_ stream: StreamID, _ head: ResponseHead, on connection: ClientConnection) {
        responses[stream.number] = head.status
        fields = []
        head.visit { fields.append((String(decoding: $0, as: UTF8.self), String(decoding: $1, as: UTF8.self))) }
    }

    func messageReceived(
        _ stream: StreamID, _ message: UnsafeRawBufferPointer, on connection: ClientConnection
    ) {
        messages[stream.number, default: []].append(Array(message))
    }

    func partReceived(
        _ stream: StreamID, _ bytes: UnsafeRawBufferPointer, rest: Int, on connection: ClientConnection
    ) {
        parts[stream.number, default: []] += bytes
        rests[stream.number, default: []].append(rest)
    }

    func callCompleted(
        _ stream: StreamID, _ status: GRPCStatus, _ head: ResponseHead, on connection: ClientConnection
    ) {
        log.append("completed \(stream.number) \(status)")
        statuses[stream.number] = status
        grpcMessages[stream.number] = head.grpcMessage
    }

    func bodyReceived(_ stream: StreamID, _ bytes: UnsafeRawBufferPointer, on connection: ClientConnection) {
        bodies[stream.number, default: []] += bytes
    }

    func endReceived(_ stream: StreamID, on connection: ClientConnection) { log.append("end \(stream.number)") }

    func streamClosed(_ stream: StreamID, _ reason: CloseReason, on connection: ClientConnection) {
        log.append("closed \(stream.number) \(reason)")
    }

    func connectionChanged(_ event: ConnectionEvent, on connection: ClientConnection) { log.append("\(event)") }
}

/// Carries bytes between the two until neither has any, in pieces of `piece()` bytes.
func exchange(_ client: TestClient, _ server: TestServer, piece: () -> Int = { Int.max }) {
    while client.connection.outputCount > 0 || server.connection.outputCount > 0 {
        for part in cut(client.take(), by: piece) { server.receive(part) }
        server.resume()
        for part in cut(server.take(), by: piece) { client.receive(part) }
        // With its output gone the server has room for more, whether or not the client says anything.
        server.resume()
    }
}

/// `bytes` in pieces of `piece()` bytes.
func cut(_ bytes: [UInt8], by piece: () -> Int) -> [[UInt8]] {
    var pieces: [[UInt8]] = []
    var rest = bytes[...]
    while !rest.isEmpty {
        pieces.append(Array(rest.prefix(piece())))
        rest = rest.dropFirst(pieces[pieces.count - 1].count)
    }
    return pieces
}
