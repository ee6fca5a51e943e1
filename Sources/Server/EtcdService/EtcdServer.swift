internal import Glibc
internal import NIOCore
internal import NIOPosix
package import StrakeSockets
package import StrakeStore
internal import StrakeTLS

/// The client API on its ports.
package final class EtcdServer: Sendable {
    private let group: MultiThreadedEventLoopGroup
    private let service: Service
    private let channels: [any Channel]
    private let loops: [NIOLoopBound<LoopContext>]
    /// Sockets in the file system, which go with the server.
    private let sockets: [String]

    /// Opens the ports. Requests are answered from then on.
    ///
    /// - Parameter metricsAddresses: Where only metrics and health are served.
    package static func start(
        store: Store, options: ServiceOptions, addresses: [ClientAddress], metricsAddresses: [ClientAddress] = []
    ) async throws(ListenError) -> EtcdServer {
        let threads = options.threads > 0 ? options.threads : System.coreCount
        let group = MultiThreadedEventLoopGroup(numberOfThreads: threads)
        let readers = NIOThreadPool(numberOfThreads: threads)
        readers.start()
        let service = Service(store: store, options: options, readers: readers)
        var loops: [NIOLoopBound<LoopContext>] = []
        for eventLoop in group.makeIterator() {
            let loop = try? await eventLoop.submit {
                NIOLoopBound(LoopContext(eventLoop: eventLoop, service: service), eventLoop: eventLoop)
            }.get()
            guard let loop else { throw ListenError("an event loop does not run") }
            loops.append(loop)
        }
        var channels: [any Channel] = []
        let places =
            addresses.map { ($0, HTTPEndpoints.Port.client) }
            + metricsAddresses.map { ($0, HTTPEndpoints.Port.metrics) }
        for (address, port) in places {
            do {
                channels.append(
                    try await listen(address, port, reusesPort: options.reusesPort, on: group, loops: loops))
            } catch {
                for channel in channels { try? await channel.close() }
                try? await readers.shutdownGracefully()
                try? await group.shutdownGracefully()
                throw ListenError("cannot listen on \(address.place)", error)
            }
        }
        if let loop = loops.first { loop.eventLoop.execute { loop.value.catchUp() } }
        let sockets = places.compactMap { if case .socket(let path) = $0.0.place { path } else { nil } }
        return EtcdServer(group: group, service: service, channels: channels, loops: loops, sockets: sockets)
    }

    private init(
        group: MultiThreadedEventLoopGroup, service: Service, channels: [any Channel],
        loops: [NIOLoopBound<LoopContext>], sockets: [String]
    ) {
        self.group = group
        self.service = service
        self.channels = channels
        self.loops = loops
        self.sockets = sockets
    }

    /// Ports that were opened, in the order asked for: of use where port 0 was.
    package var ports: [Int] { channels.map { $0.localAddress?.port ?? 0 } }

    /// Closes the ports, lets calls in hand end for a short while, and stops.
    package func stop() async {
        for channel in channels { try? await channel.close() }
        for socket in sockets { UnixSocket.remove(socket) }
        for loop in loops {
            try? await loop.eventLoop.submit {
                loop.value.forEachSession { $0.shutDown() }
                loop.value.flush()
            }.get()
        }
        try? await group.next().scheduleTask(in: .milliseconds(100)) {}.futureResult.get()
        try? await service.readers.shutdownGracefully()
        await service.passwords.stop()
        try? await group.shutdownGracefully()
    }

    private static func listen(
        _ address: ClientAddress, _ port: HTTPEndpoints.Port, reusesPort: Bool,
        on group: MultiThreadedEventLoopGroup, loops: [NIOLoopBound<LoopContext>]
    ) async throws -> any Channel {
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1_024)
            .childChannelOption(.maxMessagesPerRead, value: 4)
            .childChannelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(minimum: 2_048, initial: 16_384, maximum: 262_144)
            )
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let loop = loops.first(where: { $0.eventLoop === channel.eventLoop }) else {
                        preconditionFailure("a channel on a foreign event loop")
                    }
                    try receive(channel, at: address, port, on: loop.value)
                }
            }
        switch address.place {
        case .port(let host, let number):
            return
                try await bootstrap
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .serverChannelOption(
                    .socketOption(NIOBSDSocket.Option(rawValue: SO_REUSEPORT)), value: reusesPort ? 1 : 0
                )
                .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
                // A machine that is gone says nothing: over HTTP/1.1 nobody else would find out.
                .childChannelOption(.socketOption(.so_keepalive), value: 1)
                .bind(host: host.isEmpty ? "0.0.0.0" : host, port: number).get()
        case .socket(let path):
            return try await bootstrap.withBoundSocket(try UnixSocket.bind(path)).get()
        }
    }

    /// A connection has come.
    private static func receive(
        _ channel: any Channel, at address: ClientAddress, _ port: HTTPEndpoints.Port, on loop: LoopContext
    ) throws {
        guard address.protection != .none else { return try serve(channel, port, on: loop, peer: nil) }
        guard let tls = loop.service.options.tls else { preconditionFailure("a protected address without TLS") }
        try tls.protect(channel, admitsPlain: address.protection == .optional) { channel, peer in
            try serve(channel, port, on: loop, peer: peer)
        }
    }

    /// - Parameter peer: Who is there, if the connection is protected.
    private static func serve(
        _ channel: any Channel, _ port: HTTPEndpoints.Port, on loop: LoopContext, peer: PeerIdentity?
    ) throws {
        try channel.pipeline.syncOperations.addHandler(ProtocolSniffer(loop: loop, port: port, peer: peer))
    }
}
