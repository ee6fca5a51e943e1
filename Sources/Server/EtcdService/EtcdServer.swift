internal import Glibc
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
package import StrakeSockets
package import StrakeStore

/// The client API on its ports.
package final class EtcdServer: Sendable {
    private let group: MultiThreadedEventLoopGroup
    private let readers: NIOThreadPool
    private let channels: [any Channel]
    private let loops: [NIOLoopBound<LoopContext>]

    /// A place to listen at.
    package struct Address: Hashable, Sendable {
        package var host: String
        package var port: Int

        package init(host: String, port: Int) {
            self.host = host
            self.port = port
        }
    }

    /// Opens the ports. Requests are answered from then on.
    ///
    /// - Parameter metricsAddresses: Where only metrics and health are served.
    package static func start(
        store: Store, options: ServiceOptions, addresses: [Address], metricsAddresses: [Address] = []
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
                throw ListenError("cannot listen on \(address.host):\(address.port)", error)
            }
        }
        return EtcdServer(group: group, readers: readers, channels: channels, loops: loops)
    }

    private init(
        group: MultiThreadedEventLoopGroup, readers: NIOThreadPool, channels: [any Channel],
        loops: [NIOLoopBound<LoopContext>]
    ) {
        self.group = group
        self.readers = readers
        self.channels = channels
        self.loops = loops
    }

    /// Ports that were opened, in the order asked for: of use where port 0 was.
    package var ports: [Int] { channels.map { $0.localAddress?.port ?? 0 } }

    /// Closes the ports, lets calls in hand end for a short while, and stops.
    package func stop() async {
        for channel in channels { try? await channel.close() }
        for loop in loops {
            try? await loop.eventLoop.submit {
                loop.value.forEachSession { $0.shutDown() }
                loop.value.flush()
            }.get()
        }
        try? await group.next().scheduleTask(in: .milliseconds(100)) {}.futureResult.get()
        try? await readers.shutdownGracefully()
        try? await group.shutdownGracefully()
    }

    private static func listen(
        _ address: Address, _ port: HTTPEndpoints.Port, reusesPort: Bool, on group: MultiThreadedEventLoopGroup,
        loops: [NIOLoopBound<LoopContext>]
    ) async throws -> any Channel {
        try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1_024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.socketOption(NIOBSDSocket.Option(rawValue: SO_REUSEPORT)), value: reusesPort ? 1 : 0)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
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
                    let pipeline = channel.pipeline.syncOperations
                    switch port {
                    case .client: try pipeline.addHandler(ProtocolSniffer(loop: loop.value))
                    case .metrics:
                        try pipeline.configureHTTPServerPipeline(withErrorHandling: true)
                        try pipeline.addHandler(HTTP1Handler(loop: loop.value, port: .metrics))
                    }
                }
            }
            .bind(host: address.host.isEmpty ? "0.0.0.0" : address.host, port: address.port)
            .get()
    }
}
