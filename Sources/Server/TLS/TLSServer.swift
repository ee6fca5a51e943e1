package import NIOCore
internal import NIOSSL

/// Protects the connections that a listener takes. The certificate, its key, the authorities and the list of revoked
/// certificates are read again when their files have changed; connections that are open stay as they are.
package final class TLSServer: Sendable {
    /// Adds to the pipeline what comes behind TLS. Without an identity the connection is not protected.
    package typealias Next = (any Channel, PeerIdentity?) throws -> Void

    /// Handshakes under way; for each further one the oldest is ended.
    static let handshakesMax = 1_024
    /// For the first byte, and again for the rest of the handshake.
    static let patience = TimeAmount.seconds(10)

    let rules: PeerRules
    let handshakes = HandshakePermit.Desk(max: handshakesMax)
    private let context: FileBacked<NIOSSLContext>
    private let onRejected: @Sendable (RejectedConnection) -> Void

    /// - Parameters:
    ///   - protocols: What is spoken inside, in ALPN's names, the preferred one first.
    ///   - onProblem: Told once of each change of a file that cannot be used. What was read before stays in use; but
    ///     without a readable list of revoked certificates nobody who shows one is let in.
    /// - Throws: When a file cannot be used now.
    package init(
        _ options: TLSOptions, protocols: [String] = ["h2", "http/1.1"],
        onProblem: @escaping @Sendable (TLSError) -> Void,
        onRejected: @escaping @Sendable (RejectedConnection) -> Void
    ) throws(TLSError) {
        guard options.allowedCommonNames.isEmpty || options.allowedHostnames.isEmpty else {
            throw TLSError(
                "AllowedCN and AllowedHostname are mutually exclusive (cn=\(Self.quoted(options.allowedCommonNames)), "
                    + "hostname=\(Self.quoted(options.allowedHostnames)))")
        }
        rules = PeerRules(options, onProblem: onProblem)
        // Sessions end with their context: who was let in by an older list has to show the whole chain again.
        let files = options.contextFiles + [options.revocationFile].compactMap { $0 }
        context = FileBacked(files, onProblem: onProblem) { () throws(TLSError) -> NIOSSLContext in
            try options.serverContext(protocols: protocols)
        }
        self.onRejected = onRejected
        _ = try context.current()
        if let revocations = rules.revocations { _ = try revocations.current() }
    }

    /// In front of everything else on a new connection.
    ///
    /// - Parameter admitsPlain: Whoever does not begin with TLS is let in without.
    package func protect(_ channel: any Channel, admitsPlain: Bool, next: @escaping Next) throws {
        let permit = handshakes.take(on: channel.eventLoop) {
            self.reject(channel, "too many TLS handshakes are under way")
        }
        try channel.pipeline.syncOperations.addHandler(
            TLSEntrance(self, admitsPlain: admitsPlain, permit: permit, next: next))
    }

    /// Adds TLS to a connection whose first byte has come.
    func startTLS(_ channel: any Channel, _ permit: HandshakePermit?, next: @escaping Next) throws {
        let context = try context.current().value
        let chain = rules.revocations.map { _ in VerifiedChain() }
        let tls = try chain?.serverHandler(context: context) ?? NIOSSLServerHandler(context: context)
        let outcome = TLSGate.Outcome(
            passed: { channel, identity in try next(channel, identity) },
            refused: { context, error, names in
                let reason = (error as? TLSGate.Refusal)?.description ?? TLSFailure.reason(of: error)
                self.reject(context.channel, reason, names)
            })
        try channel.pipeline.syncOperations.addHandlers([
            tls,
            TLSGate(tls, chain, rules: rules, patience: Self.patience, permit: permit, outcome: outcome),
        ])
    }

    func reject(_ channel: any Channel, _ reason: String, _ names: CertificateNames? = nil) {
        let shown = [names?.commonName].compactMap { $0 } + (names?.dnsNames ?? [])
        onRejected(
            RejectedConnection(
                address: channel.remoteAddress.map(Self.text) ?? "", reason: reason, certificateNames: shown))
        channel.close(promise: nil)
    }

    package static func text(_ address: SocketAddress) -> String {
        guard let host = address.ipAddress, let port = address.port else { return address.pathname ?? "" }
        return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    /// As Go prints a list of strings.
    private static func quoted(_ texts: [String]) -> String {
        "[" + texts.map { "\"\($0)\"" }.joined(separator: " ") + "]"
    }
}
