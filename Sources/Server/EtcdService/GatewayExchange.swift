internal import NIOCore
internal import NIOPosix
internal import StrakeGateway
internal import StrakeHTTP2
internal import StrakeStore

/// Where the answer to a request of the gateway goes: a connection of HTTP/1.1, or a stream of HTTP/2.
protocol GatewayResponder: AnyObject {
    /// Whether it should be given no more for now; if so, `GatewayExchange.drained` is called when it takes more.
    func awaitsRoom() -> Bool
    /// - Parameter length: Of the body; `nil` when it is a stream.
    func begin(status: Int, headers: [(name: String, value: String)], length: Int?)
    func write(_ bytes: [UInt8])
    func end()
    /// Breaks off an answer that has begun, in a way that its client does not take for an end.
    func abort()
    /// Nothing more comes in this turn.
    func flush()
}

/// One request of the JSON gateway, from its body to the last byte of its answer.
///
/// What it asks for is called over a `Loopback`; answers are turned into JSON as they come, a long one in parts. A client
/// that does not take them holds the call back, as one of gRPC that does not read would.
final class GatewayExchange {
    private enum State {
        /// The body's first value is awaited.
        case reading
        /// There is a request, or what is wrong with it; the end of the body is awaited.
        case read(Result<[UInt8], GatewayError>)
        /// A call is under way.
        case calling(Loopback)
        /// The call has ended well, and not all of its long answer is with the client.
        case ending
        case done
    }

    /// Bytes of the answer to a call above which it is turned into JSON in parts, and sent as they come.
    private static let wholeAnswerBytesMax = 256 << 10

    private let route: GatewayRoute
    private let metadata: [HeaderField]
    private let timeoutNanoseconds: Int64?
    private let loop: LoopContext
    private let responder: any GatewayResponder
    private let bodyBytesMax: Int
    private let began = MonotonicClock.nanoseconds
    private var body: RequestBody
    private var state = State.reading
    /// Pieces of the body that came while the client took no answers.
    private var heldBody: [UInt8] = []
    private var isHeld = false
    /// The body has ended while the client took no answers.
    private var endIsOwed = false
    /// A request of a stream was no JSON: those behind it are not read.
    private var ignoresBody = false
    /// The answer of a call that has one; it counts once the call has ended well.
    private var answer: Result<[UInt8], GatewayError>?
    /// What turns it into JSON where it is too long to be taken whole.
    private var longAnswer: IncrementalAnswerEncoder?
    /// What came of it while it was at work.
    private var parts: [UInt8] = []
    private var isEncoding = false
    private var hasBegun = false
    private var deadline: Scheduled<Void>?

    init(_ route: GatewayRoute, _ head: GatewayHead, responder: any GatewayResponder, loop: LoopContext) {
        self.route = route
        metadata = head.metadata
        timeoutNanoseconds = head.timeoutNanoseconds
        self.responder = responder
        self.loop = loop
        bodyBytesMax = loop.service.options.gatewayBodyBytesMax
        body = RequestBody(bytesMax: bodyBytesMax)
    }

    /// One whose headers are refused, as soon as its body has been read.
    init(_ route: GatewayRoute, refusing error: GatewayError, responder: any GatewayResponder, loop: LoopContext) {
        self.route = route
        metadata = []
        timeoutNanoseconds = nil
        self.responder = responder
        self.loop = loop
        bodyBytesMax = 0
        body = RequestBody(bytesMax: 0)
        ignoresBody = true
        state = .read(.failure(error))
    }

    /// Begins, once the responder is ready for an answer.
    func start() {
        if let nanoseconds = timeoutNanoseconds {
            let bound = NIOLoopBound(self, eventLoop: loop.eventLoop)
            deadline = loop.eventLoop.scheduleTask(in: .nanoseconds(nanoseconds)) { bound.value.expired() }
        }
        if case .reading = state, route.shape == .bothStreams { call() }
    }

    private var isDone: Bool { if case .done = state { true } else { false } }

    // MARK: The request

    func bodyReceived(_ bytes: UnsafeRawBufferPointer) {
        guard !ignoresBody, !isDone else { return }
        guard isHeld else { return read(bytes) }
        guard heldBody.count + bytes.count <= bodyBytesMax else {
            fail(GatewayError(code: 8, message: "more is asked for than is taken of the answers"))
            return
        }
        heldBody += bytes
    }

    func bodyEnded() {
        if isHeld { endIsOwed = true } else { endBody() }
    }

    private func read(_ bytes: UnsafeRawBufferPointer) {
        do throws(GatewayError) {
            try body.append(bytes) { value throws(GatewayError) in try take(value) }
        } catch {
            refuse(error)
        }
    }

    private func take(_ value: [UInt8]) throws(GatewayError) {
        switch state {
        case .reading: state = .read(.success(try route.request(json: value)))
        case .calling(let loopback): loopback.send(try route.request(json: value))
        // What follows the one request of a call is not looked at.
        case .read, .ending, .done: break
        }
    }

    private func endBody() {
        if !ignoresBody {
            do throws(GatewayError) {
                if let value = try body.end() { try take(value) }
            } catch {
                refuse(error)
            }
        }
        switch state {
        case .reading: call(with: [])
        case .read(.success(let message)): call(with: message)
        case .read(.failure(let error)): fail(error)
        case .calling(let loopback): loopback.endRequests()
        case .ending, .done: break
        }
    }

    /// What the client sent is no request. A stream only ends its requests by that, as with etcd.
    private func refuse(_ error: GatewayError) {
        ignoresBody = true
        switch state {
        case .reading: state = .read(.failure(error))
        case .calling(let loopback): loopback.endRequests()
        // A call has its request already.
        case .read, .ending, .done: break
        }
    }

    // MARK: The call

    private func call() {
        if isOverdue { return fail(.deadlineExceeded) }
        let loopback = loop.takeLoopback()
        state = .calling(loopback)
        let partsAbove = route.shape == .unary ? Self.wholeAnswerBytesMax : .max
        loopback.open(route.method, metadata: metadata, partsAbove: partsAbove, for: self)
    }

    /// The client's deadline may have passed before the timer has noticed.
    private var isOverdue: Bool {
        timeoutNanoseconds.map { MonotonicClock.nanoseconds - began >= UInt64($0) } ?? false
    }

    private func call(with message: [UInt8]) {
        call()
        guard case .calling(let loopback) = state else { return }
        loopback.send(message)
        loopback.endRequests()
    }

    func received(_ message: UnsafeRawBufferPointer) {
        do throws(GatewayError) {
            if route.shape == .unary {
                answer = .success(try route.answer(protobuf: message))
            } else {
                send(try route.line(protobuf: message))
            }
        } catch {
            if route.shape == .unary { answer = .failure(error) } else { fail(error) }
        }
    }

    private func send(_ line: [UInt8]) {
        begin(status: 200, isAnswer: true)
        responder.write(line)
        guard responder.awaitsRoom(), case .calling(let loopback) = state else { return }
        isHeld = true
        loopback.hold()
    }

    /// A part of an answer that is too long to be taken whole. The next ones are held back until the client has taken it.
    func received(_ part: UnsafeRawBufferPointer, rest: Int) {
        guard case .calling(let loopback) = state else { return }
        if longAnswer == nil { longAnswer = route.longAnswer(byteCount: part.count + rest) }
        parts += part
        loopback.hold()
        encode()
    }

    /// Has a reader thread turn the parts into JSON: the loop has others to serve, and would not come to them as long as
    /// one part follows the other.
    private func encode() {
        guard !isEncoding, let encoder = longAnswer else { return }
        isEncoding = true
        let (parts, eventLoop) = (self.parts, loop.eventLoop)
        self.parts = []
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        loop.service.readers.submit { _ in
            let (json, encoder) = Self.encoded(parts, encoder)
            eventLoop.execute { bound.value.encoded(json, encoder) }
        }
    }

    private static func encoded(
        _ parts: [UInt8], _ encoder: IncrementalAnswerEncoder
    ) -> (Result<[UInt8], GatewayError>, IncrementalAnswerEncoder) {
        var encoder = encoder
        do throws(GatewayError) {
            let json = try parts.withUnsafeBufferPointer { bytes throws(GatewayError) in
                try encoder.take(UnsafeRawBufferPointer(bytes))
            }
            return (.success(json), encoder)
        } catch {
            return (.failure(error), encoder)
        }
    }

    private func encoded(_ json: Result<[UInt8], GatewayError>, _ encoder: IncrementalAnswerEncoder) {
        isEncoding = false
        guard !isDone else { return }
        longAnswer = encoder
        switch json {
        case .failure(let error): fail(error)
        case .success(let json):
            begin(status: 200, isAnswer: true)
            responder.write(json)
            isHeld = responder.awaitsRoom()
            if !isHeld { proceed() }
        }
        // Nothing else may happen in this turn of the loop that would.
        responder.flush()
        loop.flush()
    }

    /// The client has taken what there was.
    private func proceed() {
        if !parts.isEmpty { return encode() }
        switch state {
        case .calling(let loopback): loopback.resume()
        case .ending: finishLongAnswer()
        case .reading, .read, .done: break
        }
    }

    /// The client takes answers again.
    func drained() {
        guard isHeld, !responder.awaitsRoom() else { return }
        isHeld = false
        let held = heldBody
        heldBody = []
        held.withUnsafeBytes { read($0) }
        if endIsOwed {
            endIsOwed = false
            endBody()
        }
        proceed()
    }

    func completed(_ status: GatewayError) {
        guard case .calling(let loopback) = state else { return }
        state = .done
        loop.giveBack(loopback)
        if status.code != 0 {
            fail(status)
        } else if route.shape != .unary {
            finishStream()
        } else if longAnswer != nil {
            state = .ending
            if !isEncoding, !isHeld { proceed() }
        } else if let answer {
            finish(answer)
        } else {
            fail(GatewayError(code: 13, message: "a call ended without an answer"))
        }
    }

    /// Only now is what was sent of it worth anything, so the bracket that makes it whole was kept back.
    private func finishLongAnswer() {
        do throws(GatewayError) {
            guard let json = try longAnswer?.end() else { return }
            cancel()
            responder.write(json)
            responder.end()
        } catch {
            fail(error)
        }
    }

    private func finish(_ answer: Result<[UInt8], GatewayError>) {
        switch answer {
        case .failure(let error): fail(error)
        case .success(let body):
            cancel()
            responder.begin(status: 200, headers: Self.answerHeaders, length: body.count)
            responder.write(body)
            responder.end()
        }
    }

    private func finishStream() {
        cancel()
        // A stream without a message has no content type either.
        if !hasBegun { responder.begin(status: 200, headers: [], length: nil) }
        responder.end()
    }

    func flush() { responder.flush() }

    private func expired() {
        // The loop takes the timers that are due before it runs them: the answer may have gone out in between.
        guard !isDone else { return }
        fail(.deadlineExceeded)
        responder.flush()
        loop.flush()
    }

    /// Ends the call, if it still is under way: the client is gone, or needs it no longer.
    func cancel() {
        deadline?.cancel()
        if case .calling(let loopback) = state { loopback.close() }
        state = .done
    }

    private func fail(_ error: GatewayError) {
        cancel()
        if longAnswer != nil, hasBegun {
            // Its status has been sent, and there is no place in it for an error.
            responder.abort()
            return
        }
        if route.shape == .unary {
            let body = error.body
            responder.begin(status: error.httpStatus, headers: Self.errorHeaders(error), length: body.count)
            responder.write(body)
        } else {
            begin(status: error.httpStatus, isAnswer: false)
            responder.write(error.line)
        }
        responder.end()
    }

    private func begin(status: Int, isAnswer: Bool) {
        guard !hasBegun else { return }
        hasBegun = true
        responder.begin(status: status, headers: isAnswer ? Self.answerHeaders : [Self.json], length: nil)
    }

    // MARK: Headers

    private static let json = (name: "content-type", value: "application/json")
    private static let answerHeaders = [json, (name: "grpc-metadata-content-type", value: "application/grpc")]

    static func errorHeaders(_ error: GatewayError) -> [(name: String, value: String)] {
        error.httpStatus == 401 ? [json, (name: "www-authenticate", value: error.message)] : [json]
    }
}
