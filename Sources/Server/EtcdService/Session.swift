internal import NIOCore
internal import StrakeEtcdWire
internal import StrakeHTTP2
internal import StrakeModel
internal import StrakeReplication
internal import StrakeStore
internal import StrakeTLS

/// One HTTP/2 connection with its calls. It lives on its event loop: bytes come in, calls are answered from what is
/// at hand or handed to the store as one batch at the end of the read, and one write carries the answers of a turn.
final class Session: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Bytes of output that may wait for the socket before no more requests are read from it.
    static let outputBytesMax = 1 << 20

    let loop: LoopContext
    let endpoints: HTTPEndpoints
    let engine: ServerConnection
    let service: Service
    /// The common name in the client's certificate, which a trusted authority has issued; nil without such a certificate, and
    /// where names in certificates are not those of users.
    let peerCommonName: String?
    /// The connection is protected.
    let isSecure: Bool
    let auth: AuthDesk
    /// While the connection is open.
    private(set) var link: (any SessionLink)?
    /// The link takes more; as it last said, since asking a channel costs more than a request.
    private var isWritable = true
    private let allocator = ByteBufferAllocator()
    private var number: UInt32 = 0
    var isTouched = false
    private var isReading = false
    private var isSending = false
    /// What came while something was sent.
    private var held: [ByteBuffer] = []
    var isClosing = false
    private var readIsOwed = false
    /// When the bytes in hand came, on the monotonic clock, in nanoseconds.
    private(set) var receivedAt: UInt64 = 0
    /// When a ping was sent that nothing has come after yet.
    private var pingedAt: UInt64?

    /// Of the calls that came with one.
    var tokens = CallTokens()
    /// Messages of calls that cannot be looked at before this member has come further.
    var waitingMessages: [StreamID: WaitingMessages] = [:]
    var streams = StreamTable()
    var calls = CallTable()
    /// Commands decoded in this read, proposed together when it ends.
    var proposals: [(data: [UInt8], origin: RequestOrigin?)] = []
    /// Calls of this read that need the newest state.
    var reads = ReadBatch()
    /// Reads that wait until the state has come far enough, by call.
    var waitingReads: [UInt32: ReadBatch] = [:]

    /// - Parameters:
    ///   - port: Where it came in. There are no calls at the port for metrics.
    ///   - peer: Who is there, if the connection is protected.
    init(loop: LoopContext, port: HTTPEndpoints.Port = .client, peer: PeerIdentity? = nil) {
        self.loop = loop
        endpoints = HTTPEndpoints(loop: loop, port: port)
        isSecure = peer != nil
        service = loop.service
        peerCommonName = service.options.certificatesNameUsers ? peer?.commonName : nil
        auth = service.store.auth
        var configuration = ServerConfiguration()
        configuration.maxConcurrentStreams = service.options.concurrentStreamsMax
        configuration.pingIntervalMin = UInt64(service.options.pingIntervalMinMilliseconds) * 1_000_000
        configuration.messageBytesMax = service.options.requestBytesMax + ServiceOptions.requestOverheadBytes
        engine = ServerConnection(
            methods: port == .client ? Method.table : MethodTable(paths: []), configuration: configuration)
    }

    // MARK: Channel

    func handlerAdded(context: ChannelHandlerContext) {
        isWritable = context.channel.isWritable
        begin(over: context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end()
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        // A socket that breaks as it is written to is read to its end at once, whoever was at work when it was written to.
        if isSending || !held.isEmpty { return hold(bytes, context) }
        receive(bytes)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if isSending || !held.isEmpty { return }
        receiveEnded()
    }

    private func hold(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        held.append(bytes)
        guard held.count == 1 else { return }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.execute { bound.value.receiveHeld() }
    }

    private func receiveHeld() {
        let held = held
        self.held = []
        for bytes in held { receive(bytes) }
        receiveEnded()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        writabilityChanged(context.channel.isWritable)
        guard isWritable, readIsOwed else { return }
        readIsOwed = false
        context.read()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A reset by the peer or a broken pipe: nothing is left to tell it.
        context.close(promise: nil)
    }

    /// A client that does not take its answers is not read from: what it may still ask for is bounded.
    func read(context: ChannelHandlerContext) {
        if engine.outputCount > Self.outputBytesMax {
            readIsOwed = true
        } else {
            context.read()
        }
    }

    // MARK: Link

    func begin(over link: any SessionLink) {
        self.link = link
        number = loop.add(self)
        receivedAt = MonotonicClock.nanoseconds
        writeOutput()
    }

    func receive(_ buffer: ByteBuffer) {
        guard link != nil else { return }
        isReading = true
        receivedAt = MonotonicClock.nanoseconds
        pingedAt = nil
        var handler = self
        buffer.withUnsafeReadableBytes { bytes in
            engine.receive(bytes, now: receivedAt, handler: &handler)
        }
        service.metrics.bytesReceived.add(buffer.readableBytes)
        isReading = false
    }

    /// What came at once has all been received.
    func receiveEnded() {
        guard link != nil else { return }
        submit()
        var handler = self
        engine.resumeWriting(handler: &handler)
        submit()
        writeOutput()
        loop.flush()
    }

    func writabilityChanged(_ isWritable: Bool) {
        self.isWritable = isWritable
        // Who sends looks whether there is room for more by itself.
        guard isWritable, !isSending else { return }
        var handler = self
        engine.resumeWriting(handler: &handler)
        submit()
        writeOutput()
        loop.flush()
    }

    /// Hands the engine's output to the link, unless that has enough already.
    func writeOutput() {
        while let link, isWritable || engine.isFailed, engine.outputCount > 0 {
            let output = engine.outputBytes
            var buffer = allocator.buffer(capacity: output.count)
            buffer.writeBytes(output)
            engine.consumeOutput(output.count)
            service.metrics.bytesSent.add(buffer.readableBytes)
            isSending = true
            link.send(buffer)
            isSending = false
            // Answers that wait for room have it now, and nothing else may come that would ask them.
            if !engine.isReceiving {
                var handler = self
                engine.resumeWriting(handler: &handler)
            }
        }
        closeIfDone()
    }

    private func closeIfDone() {
        if isClosing, let link { link.closeLink() }
    }

    /// The connection is gone: nobody waits for its calls any more.
    func end() {
        guard link != nil else { return }
        link = nil
        loop.remove(number)
        for state in streams.all {
            release(state)
            closeCall(state.id, .canceled)
        }
        loop.recordCalls()
        streams.removeAll()
        calls.removeAll()
        waitingReads = [:]
        waitingMessages = [:]
    }

    /// Pings a client that was silent for too long, and cuts it off when it stays so.
    ///
    /// - Returns: When to look again.
    func keepAlive(now: UInt64, interval: UInt64, timeout: UInt64) -> UInt64 {
        if let pingedAt {
            if now < pingedAt + timeout { return pingedAt + timeout }
            link?.closeLink()
            return now + interval
        }
        guard now >= receivedAt + interval else { return receivedAt + interval }
        engine.sendPing(Self.keepAlivePing)
        pingedAt = now
        loop.touch(self)
        return now + timeout
    }

    /// What a keepalive ping carries.
    private static let keepAlivePing: UInt64 = 0x7374_7261_6B65_0002

    func shutDown() {
        engine.shutDown()
        loop.touch(self)
    }

    // MARK: Batches

    func token(of call: UInt32) -> UInt64 { LoopContext.token(session: number, call: call) }

    func origin(of call: UInt32) -> RequestOrigin { RequestOrigin(target: loop.target, token: token(of: call)) }

    /// Hands over what this turn's requests ask for: all commands as one proposal, all reads behind one question.
    func submit() {
        if !proposals.isEmpty {
            let batch = proposals
            proposals.removeAll(keepingCapacity: true)
            service.store.propose(batch)
        }
        guard !reads.isEmpty else { return }
        let batch = reads
        reads = ReadBatch()
        let call = calls.add(.read)
        if service.store.read(origin(of: call)) {
            calls.remove(call)
            serve(batch)
        } else {
            waitingReads[call] = batch
        }
    }

    func readIsReady(_ call: UInt32) {
        guard calls.remove(call) != nil, let batch = waitingReads.removeValue(forKey: call) else { return }
        serve(batch)
        submit()
        loop.touch(self)
    }

    /// A call of the batch ended without an answer from the state machine.
    func failed(_ call: UInt32, _ error: StoreError) {
        if let batch = waitingReads.removeValue(forKey: call) {
            service.metrics.readIndexFailures.add(1)
            if error == .timeout { service.metrics.readIndexTimeouts.add(1) }
            calls.remove(call)
            for stream in batch.streams { refuse(stream, error) }
        } else if let pending = calls.remove(call) {
            refuse(pending, error)
        }
        loop.touch(self)
    }

    // MARK: Ending calls

    /// Counts the end of a call and forgets it.
    func closeCall(_ stream: StreamID, _ code: StatusCode) {
        guard let state = streams.remove(stream), let method = state.method else { return }
        // Whatever the call ends of: nobody else would find its watchers any more.
        if case .watch(let key) = state.role { loop.watches.close(key) }
        tokens.remove(stream)
        if !waitingMessages.isEmpty { waitingMessages[stream] = nil }
        loop.tally.ended(method, code, began: state.began)
    }

    func finish(_ stream: StreamID, _ status: EtcdStatus) {
        closeCall(stream, status.code)
        _ = engine.finish(stream, GRPCStatus(rawValue: Int(status.code.rawValue)) ?? .unknown, message: status.message)
    }

    func refuse(_ stream: StreamID, _ error: StoreError) {
        if streams[stream]?.isRecipe == true { return failRecipe(stream, error) }
        finish(stream, EtcdStatus(error))
    }

    /// Answers a unary call.
    func reply(_ stream: StreamID, _ message: some WireMessage) {
        let size = message.encodedSize
        guard size <= Int(UInt32.max) else {
            // More than gRPC can frame. Only a transaction that also writes comes here: what it did stands.
            finish(stream, EtcdStatus(code: .resourceExhausted, message: "the answer has \(size) bytes"))
            return
        }
        closeCall(stream, .ok)
        guard let memory = engine.beginReply(stream, bytesMax: size) else { return }
        var writer = ProtobufWriter(UnsafeMutableRawBufferPointer(rebasing: memory[..<size]))
        message.encode(to: &writer)
        engine.endReply(stream, count: size)
    }

    /// One message of a streaming call.
    func send(_ stream: StreamID, _ message: some WireMessage) {
        let size = message.encodedSize
        guard let memory = engine.beginMessage(stream, bytesMax: size) else { return }
        if let method = streams.method(of: stream) { loop.tally.add(.sent, of: method) }
        var writer = ProtobufWriter(UnsafeMutableRawBufferPointer(rebasing: memory[..<size]))
        message.encode(to: &writer)
        engine.endMessage(stream, count: size)
    }
}

/// A call that is answered from the state as it is now.
struct PendingRead {
    enum Work {
        case range(RangeRequest)
        case rangeStream(RangeRequest)
        /// One that only reads.
        case txn(TxnRequest)
        case timeToLive(LeaseID, withKeys: Bool)
        case leases
        case members
        case contender(RangeRequest)
        case electionLeader([UInt8])
        case observer
        case auth(AuthQuestion)
    }

    var stream: StreamID
    var work: Work
}

/// Calls that wait for one answer to the question whether the state is new enough.
struct ReadBatch {
    var reads: [PendingRead] = []
    /// Apart, as they come in great numbers and need little.
    var keepAlives: [(stream: StreamID, lease: LeaseID)] = []

    var isEmpty: Bool { reads.isEmpty && keepAlives.isEmpty }
    var streams: [StreamID] { reads.map(\.stream) + keepAlives.map(\.stream) }
}
