internal import NIOCore
internal import NIOSSL
internal import NIOTLS

/// Stands behind the TLS handler and lets nothing through until the handshake is done and the other side's certificate has
/// passed the rules; then it goes.
final class TLSGate: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer

    /// Why the rules refuse a certificate that is valid otherwise.
    struct Refusal: Error, CustomStringConvertible {
        var description: String
    }

    /// What becomes of the connection. Both are called on its event loop, and one of them once.
    struct Outcome {
        /// What comes next is to be added to the pipeline.
        var passed: (any Channel, PeerIdentity) throws -> Void
        var refused: (ChannelHandlerContext, any Error, CertificateNames?) -> Void
    }

    private enum State {
        case handshaking
        /// With what was received meanwhile.
        case checking([ByteBuffer])
        case decided
    }

    private let tls: NIOSSLHandler
    private let chain: VerifiedChain?
    private let rules: PeerRules
    private let patience: TimeAmount
    private let outcome: Outcome
    private var permit: HandshakePermit?
    private var state = State.handshaking
    private var deadline: Scheduled<Void>?
    private var readIsOwed = false

    /// - Parameter chain: What `tls` notes while it verifies, if it does.
    init(
        _ tls: NIOSSLHandler, _ chain: VerifiedChain?, rules: PeerRules, patience: TimeAmount, permit: HandshakePermit?,
        outcome: Outcome
    ) {
        self.tls = tls
        self.chain = chain
        self.rules = rules
        self.patience = patience
        self.permit = permit
        self.outcome = outcome
    }

    func handlerAdded(context: ChannelHandlerContext) {
        deadline = context.eventLoop.assumeIsolated().scheduleTask(in: patience) {
            self.refuse(
                context,
                Refusal(
                    description: "the TLS handshake was not done within \(self.patience.nanoseconds / 1_000_000_000) s")
            )
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) { end() }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    private func end() {
        state = .decided
        deadline?.cancel()
        permit = nil
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshaking = state, case .handshakeCompleted? = event as? TLSUserEvent {
            check(context)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .checking(let held) = state { state = .checking(held + [unwrapInboundIn(data)]) }
        // Whoever was refused is not listened to.
    }

    func channelReadComplete(context: ChannelHandlerContext) {}

    /// While a name is looked up the other side has to wait.
    func read(context: ChannelHandlerContext) {
        if case .checking = state {
            readIsOwed = true
        } else {
            context.read()
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        refuse(context, error)
    }

    private func check(_ context: ChannelHandlerContext) {
        guard let certificate = tls.peerCertificate else {
            if rules.requiresCertificate { return refuse(context, Refusal(description: "no certificate was shown")) }
            return pass(context, PeerIdentity())
        }
        let names: CertificateNames
        do throws(TLSError) {
            names = try CertificateNames(certificate)
        } catch {
            return refuse(context, error)
        }
        if let reason = rules.refusal(of: certificate, names, chain) {
            return refuse(context, Refusal(description: reason), names)
        }
        state = .checking([])
        rules.addressRefusal(of: names, at: context.channel.remoteAddress, on: context.eventLoop)
            .assumeIsolated().whenComplete { result in
                switch result {
                case .success(nil): self.pass(context, PeerIdentity(commonName: names.commonName))
                case .success(let reason?): self.refuse(context, Refusal(description: reason), names)
                case .failure(let error): self.refuse(context, error, names)
                }
            }
    }

    private func pass(_ context: ChannelHandlerContext, _ identity: PeerIdentity) {
        var held: [ByteBuffer] = []
        switch state {
        case .decided: return
        case .handshaking: break
        case .checking(let buffers): held = buffers
        }
        end()
        do {
            try outcome.passed(context.channel, identity)
        } catch {
            return context.close(promise: nil)
        }
        // Forwarded before it leaves: a removed handler has no next one.
        for buffer in held { context.fireChannelRead(wrapInboundOut(buffer)) }
        if !held.isEmpty { context.fireChannelReadComplete() }
        if readIsOwed { context.read() }
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }

    private func refuse(_ context: ChannelHandlerContext, _ error: any Error, _ names: CertificateNames? = nil) {
        if case .decided = state { return }
        end()
        outcome.refused(context, error, names)
    }
}
