internal import NIOCore
internal import StrakeEtcdWire
internal import StrakeGateway
internal import StrakeHTTP2
internal import StrakeStore

/// A connection of the gateway to the services of its own process: a client and a session that talk HTTP/2 in memory, both on
/// the same event loop. So a call of the gateway takes the way of every other call, with its checks, limits and metrics. It
/// carries one call at a time.
final class Loopback: SessionLink {
    /// Bytes for the client above which the session is told that the link takes no more. Its watchers hold back then, as with a
    /// socket that is full.
    private static let waitingBytesMax = 64 << 10
    /// The longest message of a stream that is taken: it is turned into JSON as a whole.
    private static let streamedBytesMax = 512 << 20
    /// All that the window lets go of a long answer at once is one frame, and a part of the answer.
    private static let windowBytes = 256 << 10

    private let loop: LoopContext
    private let client: ClientConnection
    private let session: Session
    private var templates: [String: RequestTemplate] = [:]
    /// What the session has sent and the client not read yet.
    private var waiting = CircularBuffer<ByteBuffer>()
    private var waitingBytes = 0
    private var isFull = false
    /// Whoever gets the answers takes no more.
    private var isHeld = false
    private var isScheduled = false
    private(set) var isOpen = true
    private var stream: StreamID?
    private var exchange: GatewayExchange?

    init(loop: LoopContext) {
        self.loop = loop
        var configuration = ClientConfiguration()
        configuration.streamWindowBytes = Self.windowBytes
        configuration.frameBytesMax = Self.windowBytes
        configuration.connectionWindowBytes = 1 << 20
        configuration.messageBytesMax = Self.streamedBytesMax
        client = ClientConnection(configuration: configuration)
        session = Session(loop: loop)
        session.begin(over: self)
        schedule()
    }

    // MARK: Calling

    /// Begins a call, which `exchange` hears of until it is completed or closed.
    ///
    /// - Parameter partsAbove: Bytes of a message above which it comes in parts.
    func open(_ method: String, metadata: [HeaderField], partsAbove: Int, for exchange: GatewayExchange) {
        precondition(stream == nil, "a second call at once")
        let template: RequestTemplate
        if let known = templates[method] {
            template = known
        } else {
            let fields = ClientConnection.grpcFields(path: method, authority: "gateway")
            template = client.register(fields, isGRPC: true)
            templates[method] = template
        }
        self.exchange = exchange
        stream = client.open(template, extra: metadata, partsAbove: partsAbove)
        // The server is stopping: its sessions take no more calls.
        if stream == nil { closeLink() }
        schedule()
    }

    func send(_ message: [UInt8]) {
        guard let stream else { return }
        message.withUnsafeBytes { _ = client.sendMessage(stream, $0) }
        schedule()
    }

    func endRequests() {
        guard let stream else { return }
        client.endBody(stream)
        schedule()
    }

    /// Answers are kept back until `resume`.
    func hold() { isHeld = true }

    func resume() {
        guard isHeld else { return }
        isHeld = false
        schedule()
    }

    /// Ends the connection, and with it the call.
    func close() {
        guard isOpen else { return }
        isOpen = false
        exchange = nil
        stream = nil
        waiting.removeAll()
        session.end()
    }

    // MARK: SessionLink

    func send(_ bytes: ByteBuffer) {
        waiting.append(bytes)
        waitingBytes += bytes.readableBytes
        if waitingBytes > Self.waitingBytesMax, !isFull {
            isFull = true
            session.writabilityChanged(false)
        }
        schedule()
    }

    func closeLink() {
        let exchange = exchange
        close()
        exchange?.completed(GatewayError(code: 14, message: EtcdError.stopped.rawValue))
        exchange?.flush()
    }

    // MARK: Moving bytes

    /// Bytes are moved in a turn of their own: neither end is then in the middle of something.
    private func schedule() {
        guard !isScheduled, isOpen else { return }
        isScheduled = true
        let bound = NIOLoopBound(self, eventLoop: loop.eventLoop)
        loop.eventLoop.execute { bound.value.move() }
    }

    private func move() {
        isScheduled = false
        moveToSession()
        while isOpen, !isHeld, let bytes = waiting.popFirst() {
            waitingBytes -= bytes.readableBytes
            var handler = self
            bytes.withUnsafeReadableBytes { client.receive($0, now: MonotonicClock.nanoseconds, handler: &handler) }
            moveToSession()
        }
        if isOpen, isFull, waitingBytes <= Self.waitingBytesMax / 2 {
            isFull = false
            session.writabilityChanged(true)
        }
        exchange?.flush()
        loop.flush()
    }

    private func moveToSession() {
        guard isOpen, client.outputCount > 0 else { return }
        let bytes = ByteBuffer(bytes: client.outputBytes)
        client.consumeOutput(bytes.readableBytes)
        session.receive(bytes)
        session.receiveEnded()
    }
}

extension Loopback: ClientHandler {
    func messageReceived(_ stream: StreamID, _ message: UnsafeRawBufferPointer, on connection: ClientConnection) {
        exchange?.received(message)
    }

    func partReceived(
        _ stream: StreamID, _ bytes: UnsafeRawBufferPointer, rest: Int, on connection: ClientConnection
    ) {
        exchange?.received(bytes, rest: rest)
    }

    func callCompleted(
        _ stream: StreamID, _ status: GRPCStatus, _ head: ResponseHead, on connection: ClientConnection
    ) {
        guard self.stream != nil else { return }
        self.stream = nil
        // The next call's answers are somebody else's to take.
        isHeld = false
        let exchange = exchange
        self.exchange = nil
        exchange?.completed(GatewayError(code: UInt8(status.rawValue), message: head.grpcMessage))
        exchange?.flush()
    }

    func connectionChanged(_ event: ConnectionEvent, on connection: ClientConnection) {
        switch event {
        case .failed: closeLink()
        case .goAwayReceived, .drained, .pingAnswered: break
        }
    }
}
