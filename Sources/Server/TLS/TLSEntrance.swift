internal import NIOCore

/// Looks at the first byte of a connection, which tells TLS from anything else, and makes way.
final class TLSEntrance: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let server: TLSServer
    private let admitsPlain: Bool
    private let next: TLSServer.Next
    private var permit: HandshakePermit?
    private var deadline: Scheduled<Void>?

    init(_ server: TLSServer, admitsPlain: Bool, permit: HandshakePermit, next: @escaping TLSServer.Next) {
        self.server = server
        self.admitsPlain = admitsPlain
        self.permit = permit
        self.next = next
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        deadline = context.eventLoop.scheduleTask(in: TLSServer.patience) { channel.close(promise: nil) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        deadline?.cancel()
        permit = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        guard deadline != nil, let first = bytes.readableBytesView.first else { return }
        deadline?.cancel()
        deadline = nil
        do {
            if first == TLSRecord.handshake {
                try server.startTLS(context.channel, permit, next: next)
            } else if admitsPlain {
                try next(context.channel, nil)
            } else {
                return server.reject(context.channel, "tls: first record does not look like a TLS handshake")
            }
        } catch {
            return server.reject(context.channel, TLSFailure.reason(of: error))
        }
        permit = nil
        context.fireChannelRead(wrapInboundOut(bytes))
        context.fireChannelReadComplete()
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
