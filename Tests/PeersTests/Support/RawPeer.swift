internal import NIOCore
internal import NIOPosix
internal import StrakePeers
internal import StrakeRaft
internal import StrakeStore

/// Something that listens where a member should, and answers greetings as it is told. It takes what comes on the urgent
/// stream and nothing more on the others, unless it is told otherwise.
final class RawPeer: Sendable {
    let id: MemberID
    let frames = Events<FrameType>()
    /// One for each greeting.
    let hellos = Events<Hello>()
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let channel: any Channel

    enum Manner: Sendable {
        case readsUrgentOnly, readsNothing
        case refuses(HelloAnswer.Verdict)
    }

    static func open(_ id: UInt64, cluster: UInt64 = 0xc1, _ manner: Manner) async throws -> RawPeer {
        try await RawPeer(id, cluster, manner)
    }

    private init(_ id: UInt64, _ cluster: UInt64, _ manner: Manner) async throws {
        self.id = MemberID(rawValue: id)
        let (frames, hellos) = (frames, hellos)
        channel = try await ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handler = Handler(
                        answer: HelloAnswer(.accepted, cluster: cluster, member: MemberID(rawValue: id)),
                        manner: manner, frames: frames, hellos: hellos)
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    var url: String { "http://127.0.0.1:\(channel.localAddress?.port ?? 0)" }
    var peer: Peer { Peer(id: id, urls: [url]) }

    func close() async throws {
        try await group.shutdownGracefully()
    }

    private final class Handler: ChannelDuplexHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private var answer: HelloAnswer
        private let manner: Manner
        private let frames: Events<FrameType>
        private let hellos: Events<Hello>
        private var seen = ByteBuffer()
        private var parser: FrameParser?
        private var reads = true

        init(answer: HelloAnswer, manner: Manner, frames: Events<FrameType>, hellos: Events<Hello>) {
            self.answer = answer
            self.manner = manner
            self.frames = frames
            self.hellos = hellos
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = unwrapInboundIn(data)
            if parser == nil {
                seen.writeImmutableBuffer(bytes)
                guard let hello = try? seen.withUnsafeReadableBytes({ try Hello(decoding: $0) }) else { return }
                greeted(hello, context)
            } else {
                parser?.add(bytes)
                while let frame = try? parser?.next() { received(frame, context) }
            }
        }

        private func greeted(_ hello: Hello, _ context: ChannelHandlerContext) {
            parser = FrameParser(payloadBytesMax: 1 << 20)
            switch manner {
            case .readsUrgentOnly: reads = hello.stream == .urgent
            case .readsNothing: reads = false
            case .refuses(let verdict): answer.verdict = verdict
            }
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: answer.encoded())), promise: nil)
            if answer.verdict != .accepted { context.close(promise: nil) }
            hellos.add(hello)
        }

        private func received(_ frame: Frame, _ context: ChannelHandlerContext) {
            frames.add(frame.type)
            guard frame.type == .ping else { return }
            var pong = ByteBuffer()
            Frame.append(.pong, payloadBytes: 8, to: &pong) { $0.add(UInt64(0)) }
            context.writeAndFlush(wrapOutboundOut(pong), promise: nil)
        }

        func read(context: ChannelHandlerContext) {
            if reads { context.read() }
        }
    }
}

/// A client that says something once and takes what it is told until the other side ends the connection.
enum RawClient {
    static func exchange(_ bytes: [UInt8], port: Int) async throws -> [UInt8] {
        try await exchange(pieces: [bytes], port: port)
    }

    /// - Parameter pieces: Sent one after the other, each when the one before has gone out.
    static func exchange(pieces: [[UInt8]], port: Int) async throws -> [UInt8] {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let ended = group.next().makePromise(of: [UInt8].self)
        let channel = try await ClientBootstrap(group: group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Collector(ended: ended))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        // The other side may have had enough already.
        for piece in pieces { try? await channel.writeAndFlush(ByteBuffer(bytes: piece)) }
        let answer = try await ended.futureResult.get()
        try await group.shutdownGracefully()
        return answer
    }

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let ended: EventLoopPromise<[UInt8]>
        private var bytes: [UInt8] = []

        init(ended: EventLoopPromise<[UInt8]>) { self.ended = ended }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            bytes += unwrapInboundIn(data).readableBytesView
        }

        func channelInactive(context: ChannelHandlerContext) { ended.succeed(bytes) }
    }
}
