internal import Glibc
internal import NIOCore
internal import NIOPosix
package import StrakeRaft
package import StrakeSockets
package import StrakeStore
internal import StrakeTLS

/// The members' own protocol over TCP: two lasting streams to every other member, and one more for each snapshot.
///
/// What is posted from any thread waits under one lock for the transport's own event loop, which nothing else uses.
package final class PeerTransport: Transport {
    /// Threads that read and write snapshots.
    private static let snapshotThreads = 2

    private let group: MultiThreadedEventLoopGroup
    private let pool: NIOThreadPool
    private let loop: PeerLoop
    private let mailbox: Mailbox
    private let channels: [any Channel]
    private let closing = Once()

    /// Opens the ports. Nobody is let in before `start`.
    package static func open(_ options: PeerOptions) async throws(ListenError) -> PeerTransport {
        guard options.advertisedURLs.reduce(0, { $0 + $1.utf8.count + 2 }) <= Hello.urlBytesMax else {
            throw ListenError(
                "the advertised peer URLs are longer than \(Hello.urlBytesMax) bytes together")
        }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let pool = NIOThreadPool(numberOfThreads: snapshotThreads)
        pool.start()
        let mailbox = Mailbox(options: options)
        let loop = PeerLoop(
            eventLoop: group.next(), options: options, mailbox: mailbox, snapshotThreads: SnapshotThreads(pool: pool))
        var channels: [any Channel] = []
        for url in options.listenURLs {
            do {
                channels.append(try await listen(url, options, on: group, loop: loop))
            } catch {
                try? await pool.shutdownGracefully()
                try? await group.shutdownGracefully()
                throw ListenError("cannot listen for members at \(url.text)", error)
            }
        }
        return PeerTransport(group: group, pool: pool, loop: loop, mailbox: mailbox, channels: channels)
    }

    private init(
        group: MultiThreadedEventLoopGroup, pool: NIOThreadPool, loop: PeerLoop, mailbox: Mailbox,
        channels: [any Channel]
    ) {
        self.group = group
        self.pool = pool
        self.loop = loop
        self.mailbox = mailbox
        self.channels = channels
    }

    private static func listen(
        _ url: PeerURL, _ options: PeerOptions, on group: MultiThreadedEventLoopGroup, loop: PeerLoop
    ) async throws -> any Channel {
        try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 128)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(
                .socketOption(NIOBSDSocket.Option(rawValue: SO_REUSEPORT)), value: options.reusesPort ? 1 : 0
            )
            .serverChannelOption(.autoRead, value: false)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelOption(.maxMessagesPerRead, value: 4)
            .childChannelOption(
                .writeBufferWaterMark,
                value: .init(low: IncomingConnection.outputBytesMax / 4, high: IncomingConnection.outputBytesMax)
            )
            .childChannelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(minimum: 2_048, initial: 16_384, maximum: 262_144)
            )
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard url.isSecure else {
                        return try channel.pipeline.syncOperations.addHandler(IncomingConnection(loop: loop))
                    }
                    guard let tls = loop.options.tls.server else { preconditionFailure("\(url.text) without TLS") }
                    try tls.protect(channel, admitsPlain: false) { channel, _ in
                        try channel.pipeline.syncOperations.addHandler(IncomingConnection(loop: loop))
                    }
                }
            }
            .bind(host: url.host.isEmpty ? "0.0.0.0" : url.host, port: url.port)
            .get()
    }

    /// Ports that were opened, in the order asked for: of use where port 0 was.
    package var ports: [Int] { channels.map { $0.localAddress?.port ?? 0 } }

    /// Per member, for metrics.
    package var counters: [(member: MemberID, counters: PeerCounters)] { mailbox.counters }

    /// Bytes that wait to be sent to the member.
    package func bytesWaiting(for member: MemberID) -> Int { mailbox.bytesWaiting(for: member) }

    // MARK: Transport

    package func start(_ receiver: any TransportReceiver) {
        let channels = channels
        loop.eventLoop.execute { [loop] in
            loop.start(receiver)
            loop.drain()
            for channel in channels { channel.setOption(.autoRead, value: true).whenFailure { _ in } }
        }
    }

    package func update(_ peers: [Peer]) {
        if mailbox.post(peers) { loop.wake() }
    }

    package func send(_ messages: [Message]) {
        if !messages.isEmpty, mailbox.post(messages) { loop.wake() }
    }

    package func sendSnapshot(
        _ metadata: SnapshotMetadata, to member: MemberID, from source: any SnapshotSource
    ) {
        loop.eventLoop.execute { [loop] in loop.sendSnapshot(metadata, to: member, from: source) }
    }

    package func ask(_ member: MemberID, _ request: [UInt8], answer: @escaping @Sendable ([UInt8]?) -> Void) {
        guard let needsWaking = mailbox.post(ask: member, request, answer) else { return answer(nil) }
        if needsWaking { loop.wake() }
    }

    /// Ends all connections, and returns when nothing of the transport runs any more. Not to be called by the receiver.
    package func close() {
        guard closing.take() else { return }
        let closed = loop.eventLoop.submit { [loop] in loop.close() }
        // These wait for threads that wait for nobody.
        try? closed.wait()
        try? pool.syncShutdownGracefully()
        // What the pool's threads handed back is let go on the loop, and so is what a look-up of a name brings.
        try? loop.eventLoop.flatSubmit { [loop] in loop.afterLookups() }.wait()
        try? group.syncShutdownGracefully()
    }
}

extension PeerLoop {
    /// Has the loop look into the mailbox. From any thread.
    func wake() {
        eventLoop.execute { self.drain() }
    }

    /// From any thread.
    func post(_ reply: AskReply) {
        if mailbox.post(reply) { wake() }
    }
}
