internal import NIOCore
internal import NIOPosix
internal import StrakeHTTP2
internal import StrakeSockets
internal import StrakeTLS

/// Makes connections to members.
struct Connector: Sendable {
    let group: any EventLoopGroup
    let trace: (@Sendable (ClientEvent) -> Void)?
    private let dialTimeout: TimeAmount
    private let limits: ConnectionHandler.Limits
    private let tls: TLSClient
    /// Endpoints without a scheme are protected.
    private let prefersTLS: Bool

    /// - Throws: `invalidArgument` for a file of the options' that cannot be used.
    init(_ options: StrakeClient.Options, for addresses: [Address]) throws(StrakeClientError) {
        group = options.eventLoopGroup ?? MultiThreadedEventLoopGroup.singleton
        trace = options.trace
        dialTimeout = max(TimeAmount(options.dialTimeout), .milliseconds(1))
        var limits = ConnectionHandler.Limits()
        limits.configuration.messageBytesMax = options.maxCallReceiveBytes
        limits.configuration.streamWindowBytes = options.streamWindowBytes
        limits.keepAliveInterval = options.keepAliveTime.map { TimeAmount($0) }
        limits.keepAliveTimeout = TimeAmount(options.keepAliveTimeout)
        self.limits = limits
        let security = options.security ?? StrakeClient.Security()
        guard (security.certificateFile == nil) == (security.keyFile == nil) else {
            throw StrakeClientError(.invalidArgument, "security: certificateFile and keyFile go together")
        }
        tls = security.tls()
        prefersTLS = options.security != nil
        guard addresses.contains(where: { isSecure($0) }) else { return }
        do throws(TLSError) {
            try tls.check()
        } catch {
            throw StrakeClientError(.invalidArgument, "security: \(error.description)")
        }
    }

    private func isSecure(_ address: Address) -> Bool { address.isSecure ?? prefersTLS }

    /// The handlers of a new connection, from the socket up. What encrypts goes before the one that is added here.
    private func addHandlers(to channel: any Channel, _ address: Address, _ handler: ConnectionHandler) throws {
        if isSecure(address) { try tls.secure(channel, host: address.host) }
        try channel.pipeline.syncOperations.addHandler(handler)
    }

    /// Connects, and waits for the server's first bytes.
    ///
    /// - Parameter gone: Told once when a connection that was made takes no more calls.
    func connect(
        to address: Address, gone: @escaping @Sendable () -> Void
    ) -> EventLoopFuture<Connection> {
        trace?(.connecting(endpoint: address.text))
        let loop = group.next()
        let ready = loop.makePromise(of: Void.self)
        let late = loop.scheduleTask(in: dialTimeout) {
            ready.fail(StrakeClientError(.unavailable, "cannot connect to \(address.text): it does not answer"))
        }
        let connected = open(address, ready, gone, on: loop)
        connected.whenFailure { ready.fail($0) }
        // A name may have several addresses: the handler is that of the one that took the connection.
        return connected.flatMapThrowing { channel -> (any Channel, NIOLoopBound<ConnectionHandler>) in
            let handler = try channel.pipeline.syncOperations.handler(type: ConnectionHandler.self)
            return (channel, NIOLoopBound(handler, eventLoop: channel.eventLoop))
        }.flatMap { parts -> EventLoopFuture<Connection> in
            let (channel, handler) = parts
            return ready.futureResult.map { made(channel, handler, address) }.flatMapErrorThrowing { error in
                channel.close(promise: nil)
                throw error
            }
        }.flatMapErrorThrowing { error in
            throw notMade(error, address)
        }.always { _ in
            late.cancel()
        }
    }

    private func open(
        _ address: Address, _ ready: EventLoopPromise<Void>, _ gone: @escaping @Sendable () -> Void,
        on loop: any EventLoop
    ) -> EventLoopFuture<any Channel> {
        let (connector, limits) = (self, limits)
        let bootstrap = ClientBootstrap(group: loop)
            .connectTimeout(dialTimeout)
            .channelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(minimum: 2_048, initial: 16_384, maximum: 1 << 20)
            )
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handler = ConnectionHandler(
                        authority: address.authority, isSecure: connector.isSecure(address), limits: limits,
                        ready: ready, gone: gone)
                    try connector.addHandlers(to: channel, address, handler)
                }
            }
        switch address.place {
        case .host(let host, let port):
            return bootstrap.channelOption(.socketOption(.tcp_nodelay), value: 1).connect(host: host, port: port)
        case .socket(let path): return bootstrap.connect(unixDomainSocketPath: path)
        }
    }

    private func made(
        _ channel: any Channel, _ handler: NIOLoopBound<ConnectionHandler>, _ address: Address
    ) -> Connection {
        trace?(.connected(endpoint: address.text))
        return Connection(channel, handler, endpoint: address.text, trace: trace)
    }

    private func notMade(_ error: any Error, _ address: Address) -> StrakeClientError {
        let error =
            error as? StrakeClientError
            ?? StrakeClientError(.unavailable, "cannot connect to \(address.text): \(LossReason.text(of: error))")
        trace?(.notConnected(endpoint: address.text, reason: error.message))
        return error
    }
}
