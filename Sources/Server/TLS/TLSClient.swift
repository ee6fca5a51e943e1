package import NIOCore
internal import NIOSSL

/// Protects the connections that a program makes. Files are read when the first connection is made, and again when they
/// have changed.
package final class TLSClient: Sendable {
    private static let patience = TimeAmount.seconds(10)

    private let context: FileBacked<NIOSSLContext>
    private let rules: PeerRules
    private let trustsAnybody: Bool

    /// - Parameter protocols: What is spoken inside, in ALPN's names.
    package init(
        _ options: TLSOptions, protocols: [String] = [], onProblem: @escaping @Sendable (TLSError) -> Void = { _ in }
    ) {
        // Where a connection goes to is verified by its host's name.
        var own = options
        own.checksAddress = false
        own.requiresClientCertificate = true
        trustsAnybody = options.trustsAnybody
        rules = PeerRules(own, onProblem: onProblem)
        context = FileBacked(options.contextFiles, onProblem: onProblem) { () throws(TLSError) -> NIOSSLContext in
            try options.clientContext(protocols: protocols)
        }
    }

    /// Reads the files, to know before the first connection whether they can be used.
    package func check() throws(TLSError) {
        _ = try context.current()
    }

    /// In front of everything else on a channel that is not connected yet. What is written waits for the handshake.
    ///
    /// - Parameter host: As the connection is made to: a name or an IP address, which the certificate must be for.
    package func secure(_ channel: any Channel, host: String) throws {
        let name = IPAddress.bytes(host) == nil ? host : nil
        let tls = try NIOSSLClientHandler(context: try context.current().value, serverHostname: name)
        try channel.pipeline.syncOperations.addHandler(tls)
        if trustsAnybody { return }
        var rules = rules
        // NIOSSL is content with a certificate for the address that a name leads to, or with a fitting common name. Whoever
        // says where names lead could then choose among all certificates of the authority.
        rules.host = host
        let outcome = TLSGate.Outcome(
            passed: { _, _ in },
            refused: { context, error, _ in
                context.fireErrorCaught(error)
                context.close(promise: nil)
            })
        try channel.pipeline.syncOperations.addHandler(
            TLSGate(tls, nil, rules: rules, patience: Self.patience, permit: nil, outcome: outcome))
    }
}
