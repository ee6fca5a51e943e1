internal import NIOCore
internal import NIOHTTP1
internal import StrakeHTTP2
internal import StrakeTLS

/// Tells HTTP/2 from HTTP/1.1 by the first bytes of a connection, however they are split, and makes way for the
/// handler that speaks it.
final class ProtocolSniffer: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    /// What every HTTP/2 client sends first (RFC 9113 §3.4).
    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    /// A connection that has not said what it speaks by then is closed.
    private static let patience = TimeAmount.seconds(10)

    private let loop: LoopContext
    private let port: HTTPEndpoints.Port
    /// Who is there, if the connection is protected.
    private let peer: PeerIdentity?
    private var seen = ByteBuffer()
    private var deadline: Scheduled<Void>?
    private var isDecided = false

    init(loop: LoopContext, port: HTTPEndpoints.Port = .client, peer: PeerIdentity? = nil) {
        self.loop = loop
        self.port = port
        self.peer = peer
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        deadline = context.eventLoop.scheduleTask(in: Self.patience) { channel.close(promise: nil) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        deadline?.cancel()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        seen.writeBuffer(&bytes)
        guard !isDecided else { return }
        if peer == nil, seen.readableBytesView.first == TLSRecord.handshake { return refuseTLS(context) }
        let known = seen.readableBytesView.prefix(Self.preface.count)
        let isHTTP2 = Self.preface.starts(with: known)
        if isHTTP2, known.count < Self.preface.count { return }
        isDecided = true
        deadline?.cancel()
        do {
            let pipeline = context.pipeline.syncOperations
            if isHTTP2 {
                try pipeline.addHandler(Session(loop: loop, port: port, peer: peer))
            } else {
                try pipeline.configureHTTPServerPipeline(withErrorHandling: true)
                try pipeline.addHandler(HTTP1Handler(loop: loop, port: port, isSecure: peer != nil))
            }
        } catch {
            context.close(promise: nil)
            return
        }
        // Forwarded before it leaves: a removed handler has no next one.
        let held = seen
        seen = ByteBuffer()
        context.fireChannelRead(NIOAny(held))
        context.fireChannelReadComplete()
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }

    /// What would follow is nothing that can be answered.
    private func refuseTLS(_ context: ChannelHandlerContext) {
        isDecided = true
        loop.service.options.onRejected(
            RejectedConnection(
                address: context.channel.remoteAddress.map(TLSServer.text) ?? "",
                reason: "the client speaks TLS, and this address does not"))
        context.close(promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
