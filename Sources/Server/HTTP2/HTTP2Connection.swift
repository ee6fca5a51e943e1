/// One HTTP/2 connection, either end of it. `ServerConnection` and `ClientConnection` add what their end says.
///
/// It knows no socket, clock or thread, and is used from one at a time.
package class HTTP2Connection {
    /// Behind a pointer: the engine is a value, checked at compile time, and pays nothing for being a class's property.
    final let engine: UnsafeMutablePointer<Engine>

    init(_ engine: consuming Engine) {
        self.engine = .allocate(capacity: 1)
        self.engine.initialize(to: engine)
    }

    deinit {
        engine.deinitialize(count: 1)
        engine.deallocate()
    }

    // MARK: - Input

    package final func beginInput(_ bytes: UnsafeRawBufferPointer, now: UInt64) {
        engine.pointee.beginInput(bytes, now: now)
    }

    package final var isReceiving: Bool { engine.pointee.isReceiving }

    package final func endInput() { engine.pointee.endInput() }

    /// The next event. The generic pump around it does nothing else, so that all of the engine is compiled once.
    package final func next() -> Event { engine.pointee.next() }

    // MARK: - Output

    /// The outgoing bytes; valid until the next call.
    package final var outputBytes: UnsafeRawBufferPointer { engine.pointee.output.bytes }
    package final var outputCount: Int { engine.pointee.output.count }

    /// `byteCount` of them were written or copied; their memory is reused.
    package final func consumeOutput(_ byteCount: Int) { engine.pointee.consumeOutput(byteCount) }

    /// Hands out all outgoing bytes at once. `body` must not call the connection.
    package final func takeOutput(_ body: (UnsafeRawBufferPointer) -> Void) {
        body(engine.pointee.output.bytes)
        engine.pointee.consumeOutput(engine.pointee.output.count)
    }

    // MARK: - Messages

    /// Room for a gRPC message of at most `bytesMax` bytes, as a rule in the outgoing buffer itself: write it there, then
    /// call `endMessage`, and nothing else in between. Nil if the stream is gone or ended.
    package final func beginMessage(_ stream: StreamID, bytesMax: Int) -> UnsafeMutableRawBufferPointer? {
        engine.pointee.begin(stream, bytesMax: bytesMax, prefixCount: Engine.messagePrefixCount)
    }

    package final func endMessage(_ stream: StreamID, count: Int) { engine.pointee.endMessage(stream, count) }

    /// False if the stream is gone or ended.
    @discardableResult
    package final func sendMessage(_ stream: StreamID, _ bytes: UnsafeRawBufferPointer) -> Bool {
        engine.pointee.sendMessage(stream, bytes)
    }

    /// Begins a message of `length` bytes that come in slices, by `beginBytes` and `endBytes`, as windows open.
    @discardableResult
    package final func beginLongMessage(_ stream: StreamID, length: UInt32) -> Bool {
        engine.pointee.beginLongMessage(stream, length: length)
    }

    /// Room for bytes of a long message or of an HTTP body.
    package final func beginBytes(_ stream: StreamID, bytesMax: Int) -> UnsafeMutableRawBufferPointer? {
        engine.pointee.begin(stream, bytesMax: bytesMax, prefixCount: 0)
    }

    package final func endBytes(_ stream: StreamID, count: Int) { engine.pointee.endBytes(stream, count) }

    /// END_STREAM behind everything queued: ends an HTTP body, or a client's half. False if the stream is gone or ended.
    @discardableResult
    package final func endBody(_ stream: StreamID) -> Bool { engine.pointee.endBody(stream) }

    /// Gives a stream up at once; what it queued is dropped.
    package final func reset(_ stream: StreamID, _ code: ErrorCode) { engine.pointee.reset(stream, code) }

    // MARK: - Back-pressure

    /// Payload accepted that waits for a window.
    package final func queuedBytes(_ stream: StreamID) -> Int {
        engine.pointee.streams.find(stream)?.pointee.queuedBytes ?? 0
    }

    package final var queuedBytesTotal: Int { engine.pointee.queuedTotal }

    /// All that waits to leave: stop reading from the socket, or producing, above a bound of yours.
    package final var pendingBytes: Int { engine.pointee.queuedTotal + engine.pointee.output.count }

    /// DATA bytes that would go out now without waiting.
    package final func sendCapacity(_ stream: StreamID) -> Int { engine.pointee.sendCapacity(stream) }

    /// One `streamWritable` as soon as the queue is empty, the windows are open and the output is short.
    package final func requestWrite(_ stream: StreamID) { engine.pointee.requestWrite(stream) }

    /// While it is held the peer may send what is left of the stream's receive window, and then has to wait: back-pressure
    /// for users that have no room. A message longer than the window needs it released.
    package final func holdWindow(_ stream: StreamID, _ holds: Bool) { engine.pointee.holdWindow(stream, holds) }

    /// Can still be written to.
    package final func isOpen(_ stream: StreamID) -> Bool { engine.pointee.writable(stream) != nil }

    // MARK: - The connection

    package final var isFailed: Bool { engine.pointee.failure != nil }
    /// Streams not closed yet.
    package final var openStreams: Int { engine.pointee.streams.count }
    /// After `shutDown`: the last stream is done.
    package final var isDrained: Bool { engine.pointee.isDrained }

    /// Ends the connection with an error: GOAWAY, and nothing is received or sent any more. No event follows.
    package final func fail(_ code: ErrorCode, _ reason: String) {
        engine.pointee.stop(code, reason)
        engine.pointee.isFailureReported = true
    }

    /// Ends gracefully: announces it, lets open streams finish, then reports `.drained`. A second call does not wait for
    /// the peer's PING answer.
    package final func shutDown() { engine.pointee.shutDown() }

    /// A keepalive of ours; the answer comes as `.pingAnswered`.
    package final func sendPing(_ payload: UInt64) {
        guard !isFailed else { return }
        engine.pointee.writePing(payload, isAck: false)
    }

    package final func connectionEvent(_ event: Event) -> ConnectionEvent {
        switch event {
        case .goAwayReceived(let last, let code): .goAwayReceived(lastStream: last, code)
        case .drained: .drained
        case .pingAnswered(let payload): .pingAnswered(payload)
        case .nothing, .idle, .callOpened, .requestOpened, .responseOpened, .message, .part, .body, .ended, .completed,
            .closed, .writable, .failed:
            .failed(engine.pointee.failure?.code ?? .noError, reason: engine.pointee.failure?.reason ?? "")
        }
    }
}
