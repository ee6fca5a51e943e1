internal import NIOCore
internal import StrakeRaft
internal import StrakeSockets
internal import StrakeStore
internal import Synchronization

/// One connection that somebody made to this member: first the greeting, then what the stream is for. It lives on the
/// peers' event loop.
final class IncomingConnection: ChannelDuplexHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Questions of one connection that are not answered yet; further ones are answered with nothing.
    static let askedMax = 4_096
    /// Bytes of answers that may wait for the socket before further ones are dropped.
    static let outputBytesMax = 16 << 20
    /// Pings that may be missed before a connection counts as dead.
    private static let pingsMissedMax = 15

    private enum State {
        case greeting
        case messages
        case snapshot(SnapshotReceiver)
        /// A request over HTTP is answered; what else comes is not looked at.
        case answered
        case ended
    }

    private unowned let loop: PeerLoop
    private var state = State.greeting
    private var greeting = ByteBuffer()
    private var parser: FrameParser
    private var number: UInt64 = 0
    private(set) var sender: MemberID?
    private var counters: PeerCounters?
    private var context: ChannelHandlerContext?
    private var deadline: Scheduled<Void>?
    private var lastRead = NIODeadline.now()
    private var readIsOwed = false
    /// Of the present read; delivered together at its end.
    private var batch: [Message] = []
    private var askedCount = 0

    init(loop: PeerLoop) {
        self.loop = loop
        parser = FrameParser(payloadBytesMax: loop.options.frameBytesMax)
    }

    // MARK: Channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        guard let number = loop.add(self) else { return end() }
        self.number = number
        let patience = TimeAmount.milliseconds(Int64(loop.options.handshakeMilliseconds))
        deadline = context.eventLoop.scheduleTask(in: patience) { self.timeHasRunOut() }
    }

    func handlerRemoved(context: ChannelHandlerContext) { end() }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { end() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        lastRead = .now()
        counters?.bytesReceived.add(UInt64(bytes.readableBytes), ordering: .relaxed)
        do throws(PeerProtocolError) {
            switch state {
            case .greeting:
                greeting.writeImmutableBuffer(bytes)
                try readGreeting()
            case .messages, .snapshot:
                parser.add(bytes)
                try readFrames()
            case .answered, .ended: break
            }
        } catch {
            deliver()
            if let sender {
                loop.tell(
                    .refused(address: "member \(sender)", .malformed("it sent \(error)")), about: "from \(sender)")
            }
            end()
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        deliver()
        context.fireChannelReadComplete()
    }

    /// While a piece of a snapshot waits for the disk, no more is read from the socket.
    func read(context: ChannelHandlerContext) {
        if case .snapshot(let snapshot) = state, snapshot.isBusy {
            readIsOwed = true
        } else {
            context.read()
        }
    }

    /// The disk has taken what was read.
    func resumeReading() {
        lastRead = .now()
        guard readIsOwed, let context else { return }
        readIsOwed = false
        context.read()
    }

    func close() { end() }

    private func end() {
        if case .ended = state { return }
        if case .snapshot(let snapshot) = state { snapshot.abandon() }
        state = .ended
        deadline?.cancel()
        loop.remove(number, from: sender)
        context?.close(promise: nil)
        context = nil
    }

    func write(_ frames: ByteBuffer) {
        guard let context else { return }
        counters?.bytesSent.add(UInt64(frames.readableBytes), ordering: .relaxed)
        context.writeAndFlush(wrapOutboundOut(frames), promise: nil)
    }

    // MARK: Greeting

    private func readGreeting() throws(PeerProtocolError) {
        let known = min(greeting.readableBytes, HandshakeHead.magic.count)
        guard greeting.readableBytesView.prefix(known).elementsEqual(HandshakeHead.magic.prefix(known)) else {
            return readRequest()
        }
        guard greeting.readableBytes >= HandshakeHead.bytes else { return }
        do throws(PeerProtocolError) {
            let head = try greeting.withUnsafeReadableBytes { bytes throws(PeerProtocolError) in
                var reader = ByteReader(bytes)
                return try HandshakeHead(decoding: &reader)
            }
            guard head.version == HandshakeHead.version else {
                return refuse(.unknownVersion, .version(theirs: head.version), sender: nil)
            }
            let size = HandshakeHead.bytes + head.bodyBytes
            guard greeting.readableBytes >= size, let whole = greeting.readSlice(length: size) else { return }
            let hello = try whole.withUnsafeReadableBytes { bytes throws(PeerProtocolError) in
                try Hello(decoding: bytes)
            }
            answer(hello)
        } catch {
            return refuse(.malformed, .malformed("it sent \(error)"), sender: nil)
        }
        // What came right behind it; nobody of ours sends before the answer, but may.
        if sender != nil {
            parser.add(greeting)
            greeting = ByteBuffer()
            try readFrames()
        }
    }

    private func answer(_ hello: Hello) {
        let (verdict, refusal) = loop.judge(hello)
        if let refusal { return refuse(verdict, refusal, sender: hello.from) }
        deadline?.cancel()
        sender = hello.from
        counters = loop.mailbox.counters(of: hello.from)
        state =
            hello.stream == .snapshot
            ? .snapshot(SnapshotReceiver(from: hello.from, on: self, loop: loop)) : .messages
        loop.forgetNotices(about: "from \(hello.from)")
        writeAnswer(.accepted)
    }

    private func writeAnswer(_ verdict: HelloAnswer.Verdict) {
        let answer = HelloAnswer(verdict, cluster: loop.options.cluster, member: loop.options.member)
        write(ByteBuffer(bytes: answer.encoded()))
    }

    private func refuse(_ verdict: HelloAnswer.Verdict, _ refusal: Refusal, sender: MemberID?) {
        let subject = sender.map { "from \($0)" } ?? "from \(address)"
        loop.tell(.refused(address: address, refusal), about: subject)
        writeAnswer(verdict)
        end()
    }

    // MARK: Strangers

    /// The first bytes are nothing a member greets with.
    private func readRequest() {
        let bytesMax = PeerRequest.headBytesMax
        switch PeerRequest.read(greeting.readableBytesView.prefix(bytesMax)) {
        case .request(let request): answer(request)
        case .incomplete where greeting.readableBytes < bytesMax: return
        case .incomplete, .none: refuseStranger()
        }
    }

    private func answer(_ request: PeerRequest) {
        let endpoints = PeerEndpoints(
            cluster: loop.options.cluster, description: loop.receiver?.clusterDescription,
            versions: loop.options.versions, now: .now)
        let answer = endpoints.answer(request)
        if answer.isForMembers {
            let what = "it asks what members of etcd ask each other; a cluster has members of one kind"
            loop.tell(.stranger(address: address, what), about: "from \(address)")
        }
        state = .answered
        greeting = ByteBuffer()
        guard let context else { return }
        let text = answer.text(for: request, date: HTTPDate(seconds: endpoints.now.seconds).description)
        // The other side ends the connection when it has read the answer, or time does: if this one did while a body is on
        // its way, the answer could be lost with it.
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text))).whenComplete { _ in
            self.context?.close(mode: .output, promise: nil)
        }
    }

    private func timeHasRunOut() {
        switch state {
        case .greeting:
            refuse(stranger: "it did not say who it is within \(loop.options.handshakeMilliseconds) ms")
        case .answered: end()
        case .messages, .snapshot, .ended: break
        }
    }

    private func refuseStranger() {
        let isTLS = greeting.getInteger(at: greeting.readerIndex, as: UInt8.self) == 0x16
        guard !isTLS else {
            return refuse(stranger: "it speaks TLS, and has reached a peer URL that begins with http")
        }
        write(ByteBuffer(string: Self.answerToHTTP))
        refuse(stranger: "it does not speak the peer protocol; clients are served at the client URLs")
    }

    private func refuse(stranger what: String) {
        loop.tell(.stranger(address: address, what), about: "from \(address)")
        end()
    }

    static let answerToHTTP: String = {
        let text = "This is the peer port of a Strake member, for other members only. Clients use the client URLs.\n"
        return "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"
            + "Content-Length: \(text.utf8.count)\r\nConnection: close\r\n\r\n\(text)"
    }()

    /// Without the port, which is another one each time.
    private var address: String { context?.channel.remoteAddress?.ipAddress ?? "an unknown address" }

    // MARK: Frames

    private func readFrames() throws(PeerProtocolError) {
        while let frame = try parser.next() {
            switch state {
            case .messages: try receive(frame)
            case .snapshot(let snapshot): try snapshot.receive(frame)
            case .greeting, .answered, .ended: return
            }
        }
    }

    private func receive(_ frame: Frame) throws(PeerProtocolError) {
        guard let sender else { return }
        switch frame.type {
        case .message:
            batch.append(
                try frame.read { reader throws(PeerProtocolError) in
                    try MessageCodec.decode(&reader, from: sender, to: loop.options.member)
                })
        case .ask: try receiveAsk(frame, from: sender)
        case .ping: try pong(frame)
        case .answer, .pong, .snapshotBegin, .snapshotPiece, .snapshotEnd, .snapshotReply:
            throw .unexpectedFrame(frame.type.rawValue)
        }
    }

    func pong(_ frame: Frame) throws(PeerProtocolError) {
        let time = try frame.read { reader throws(PeerProtocolError) in try reader.integer(UInt64.self) }
        writePong(time)
    }

    private func writePong(_ time: UInt64) {
        // One that does not read gets no more to read.
        guard let context, context.channel.isWritable else { return }
        var buffer = ByteBuffer()
        Frame.append(.pong, payloadBytes: 8, to: &buffer) { $0.add(time) }
        write(buffer)
    }

    private func deliver() {
        if batch.isEmpty { return }
        loop.receiver?.received(batch)
        batch.removeAll(keepingCapacity: true)
    }

    // MARK: Questions

    private func receiveAsk(_ frame: Frame, from sender: MemberID) throws(PeerProtocolError) {
        let (id, request) = try frame.read { reader throws(PeerProtocolError) in
            (try reader.integer(UInt64.self), reader.rest())
        }
        guard askedCount < Self.askedMax, let receiver = loop.receiver else {
            return reply(AskReply(connection: number, id: id, answer: nil), isCounted: false)
        }
        askedCount += 1
        let (loop, number) = (loop, number)
        // A second answer to one question would be counted twice.
        let once = Once()
        receiver.asked(request, by: sender) { answer in
            guard once.take() else { return }
            loop.post(AskReply(connection: number, id: id, answer: answer))
        }
    }

    func reply(_ reply: AskReply) { self.reply(reply, isCounted: true) }

    private func reply(_ reply: AskReply, isCounted: Bool) {
        if isCounted { askedCount -= 1 }
        // The asker does not read: it will hear nothing, and ask again.
        guard let context, context.channel.isWritable else { return }
        let answer = reply.answer.flatMap { $0.count + 9 <= loop.options.frameBytesMax ? $0 : nil }
        var buffer = ByteBuffer()
        Frame.append(.answer, payloadBytes: 9 + (answer?.count ?? 0), to: &buffer) { writer in
            writer.add(reply.id)
            writer.add(answer != nil)
            writer.add(answer ?? [])
        }
        write(buffer)
    }

    // MARK: Time

    func tick(_ now: NIODeadline) {
        switch state {
        case .greeting, .answered, .ended: return
        case .snapshot(let snapshot) where snapshot.isBusy:
            // The sender hears that we are there, and waits for our disk.
            return writePong(0)
        case .messages, .snapshot:
            let patience = Int64(loop.options.pingMilliseconds * Self.pingsMissedMax)
            if now - lastRead > .milliseconds(patience) { end() }
        }
    }
}
