internal import NIOCore
internal import NIOPosix
internal import StrakeRaft
internal import StrakeTLS
internal import Synchronization

/// Who had a connection made. Everything is called on the event loop.
protocol OutgoingOwner: AnyObject {
    /// The other side took the connection.
    func opened(_ connection: OutgoingConnection)
    func received(_ frame: Frame, on connection: OutgoingConnection) throws(PeerProtocolError)
    func writabilityChanged(_ connection: OutgoingConnection)
    /// Once, whatever became of it; never after `close`.
    func ended(_ connection: OutgoingConnection, _ end: OutgoingConnection.End)
}

/// One connection that this member made. It lives on the peers' event loop.
final class OutgoingConnection: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer

    enum End {
        case refused(Refusal)
        case failed(String)
    }

    /// Bytes that may wait for the socket before no more are written.
    static let outputBytesMax = 1 << 20

    /// TCP_USER_TIMEOUT (RFC 5482): the kernel ends a connection whose bytes nobody acknowledges, or takes, for so long.
    /// Left alone it would try for a quarter of an hour, and ever more seldom, so that a network that is whole again would
    /// not be noticed for minutes.
    private static let userTimeout = ChannelOptions.Types.SocketOption(level: .tcp, name: .init(rawValue: 18))

    private enum State {
        case connecting, greeting, open, ended
    }

    let hello: Hello
    private let options: PeerOptions
    private let counters: PeerCounters?
    private var state = State.connecting
    /// The part of the answer to the greeting that has come.
    private var answer = ByteBuffer()
    private var parser: FrameParser
    private weak var owner: (any OutgoingOwner)?
    private var channel: (any Channel)?
    private var deadline: Scheduled<Void>?
    /// When the other side last gave a sign of life: it sent something. On streams that carry much, what the kernel takes
    /// counts too, since a ping may have to wait there; on the urgent one it would hide that nothing arrives any more.
    private(set) var lastSign = NIODeadline.now()

    init(_ hello: Hello, options: PeerOptions, counters: PeerCounters?, owner: any OutgoingOwner) {
        self.hello = hello
        self.options = options
        self.counters = counters
        self.owner = owner
        parser = FrameParser(payloadBytesMax: options.frameBytesMax)
    }

    /// Starts to connect.
    func connect(to url: PeerURL, on loop: PeerLoop) {
        let bootstrap = ClientBootstrap(group: loop.eventLoop)
            .connectTimeout(.milliseconds(Int64(options.connectMilliseconds)))
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .channelOption(Self.userTimeout, value: patienceMilliseconds)
            .channelOption(
                .writeBufferWaterMark, value: .init(low: Self.outputBytesMax / 4, high: Self.outputBytesMax)
            )
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if url.isSecure { try self.options.tls.client.secure(channel, host: url.host) }
                    try channel.pipeline.syncOperations.addHandler(self)
                }
            }
        let connected: EventLoopFuture<any Channel>
        if let address = try? SocketAddress(ipAddress: url.host, port: url.port) {
            connected = bootstrap.connect(to: address)
        } else {
            // Names are looked up on a thread that comes back to the loop, which must still be there then.
            connected = bootstrap.connect(host: url.host, port: url.port)
            loop.awaitLookup(connected)
        }
        connected.whenFailure { self.end(.failed(Self.reason(of: $0))) }
    }

    var patienceMilliseconds: Int {
        hello.stream == .snapshot ? options.snapshotSilenceMilliseconds : options.silenceMilliseconds
    }

    var isWritable: Bool {
        guard case .open = state, let channel else { return false }
        return channel.isWritable
    }

    func write(_ frames: ByteBuffer) {
        guard let channel else { return }
        counters?.bytesSent.add(UInt64(frames.readableBytes), ordering: .relaxed)
        let written = channel.writeAndFlush(frames)
        if hello.stream != .urgent { written.whenSuccess { self.lastSign = .now() } }
    }

    /// Ends the connection without a word to the owner.
    func close() {
        owner = nil
        end(.failed("closed"))
    }

    /// Ends the connection and tells the owner.
    func fail(_ reason: String) {
        end(.failed(reason))
    }

    private func end(_ end: End) {
        if case .ended = state { return }
        state = .ended
        deadline?.cancel()
        channel?.close(promise: nil)
        channel = nil
        let owner = owner
        self.owner = nil
        owner?.ended(self, end)
    }

    // MARK: Channel

    func channelActive(context: ChannelHandlerContext) {
        guard case .connecting = state else { return context.close(promise: nil) }
        channel = context.channel
        state = .greeting
        let patience = TimeAmount.milliseconds(Int64(options.handshakeMilliseconds))
        deadline = context.eventLoop.scheduleTask(in: patience) {
            guard case .greeting = self.state else { return }
            self.end(.failed("no answer to the greeting within \(self.options.handshakeMilliseconds) ms"))
        }
        channel?.writeAndFlush(context.channel.allocator.buffer(bytes: hello.encoded()), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        lastSign = .now()
        counters?.bytesReceived.add(UInt64(bytes.readableBytes), ordering: .relaxed)
        do throws(PeerProtocolError) {
            switch state {
            case .greeting:
                answer.writeImmutableBuffer(bytes)
                try readAnswer(answer)
            case .open:
                parser.add(bytes)
                while case .open = state, let frame = try parser.next() { try owner?.received(frame, on: self) }
            case .connecting, .ended: break
            }
        } catch {
            end(.failed("it sent \(error)"))
        }
    }

    /// The answer comes alone: what would follow it answers something that was not said yet.
    private func readAnswer(_ seen: ByteBuffer) throws(PeerProtocolError) {
        let known = min(seen.readableBytes, HandshakeHead.magic.count)
        guard seen.readableBytesView.prefix(known).elementsEqual(HandshakeHead.magic.prefix(known)) else {
            return end(.refused(.malformed("what answers there is no Strake member; is it a peer URL?")))
        }
        guard seen.readableBytes >= HandshakeHead.bytes else { return }
        let answer = try seen.withUnsafeReadableBytes { bytes throws(PeerProtocolError) -> HelloAnswer? in
            var reader = ByteReader(bytes)
            let head = try HandshakeHead(decoding: &reader)
            if head.version == HandshakeHead.version, reader.remaining < head.bodyBytes { return nil }
            return try HelloAnswer(decoding: bytes)
        }
        guard let answer else { return }
        if let refusal = answer.refusal(of: hello) { return end(.refused(refusal)) }
        guard answer.cluster == hello.cluster, answer.member == hello.to else { throw .malformed("answer") }
        deadline?.cancel()
        state = .open
        owner?.opened(self)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if isWritable { owner?.writabilityChanged(self) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(.failed("the other side ended it"))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end(.failed(Self.reason(of: error)))
    }

    static func reason(of error: any Error) -> String {
        if let failure = error as? NIOConnectionError {
            if let cause = failure.connectionErrors.first?.error { return reason(of: cause) }
            return "the name \(failure.host) has no address"
        }
        if case .connectTimeout? = error as? ChannelError { return "no answer in time" }
        guard let io = error as? IOError else { return TLSFailure.reason(of: error) }
        switch io.errnoCode {
        case 104: return "connection reset"
        case 110: return "no answer in time"
        case 111: return "connection refused"
        case 113: return "no route to host"
        case 101: return "network is unreachable"
        default: return io.description
        }
    }
}
