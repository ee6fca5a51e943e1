internal import StrakeStore
internal import StrakeTLS

/// What a member shows the others over TLS, and whom it trusts. Files are read again when they have changed.
public struct PeerSecurity: Hashable, Sendable {
    /// The member's certificate, with those of the authorities between it and a trusted one, and its key: PEM.
    public var certificateFile: String
    public var keyFile: String
    /// Authorities that members' certificates come from, PEM. Nil: those of the system.
    public var trustedCAFile: String?
    /// Revoked certificates: a list in DER or PEM.
    public var revocationFile: String?
    /// One of them must be the common name of another member's certificate. Empty: anything goes.
    public var allowedCommonNames: [String] = []
    /// A certificate that names hosts or addresses must be for the address that the other member connects from.
    public var checksAddress = true

    public init(certificateFile: String, keyFile: String, trustedCAFile: String? = nil) {
        self.certificateFile = certificateFile
        self.keyFile = keyFile
        self.trustedCAFile = trustedCAFile
    }

    /// - Throws: What is wrong with a file.
    func tls(onNotice: @escaping @Sendable (String) -> Void) throws(StoreStartError) -> PeerTLS {
        var options = TLSOptions()
        options.identity = TLSOptions.Identity(certificateFile: certificateFile, keyFile: keyFile)
        options.trustedCAFile = trustedCAFile
        options.revocationFile = revocationFile
        options.allowedCommonNames = allowedCommonNames
        options.requiresClientCertificate = true
        options.checksAddress = checksAddress
        do throws(TLSError) {
            let server = try TLSServer(
                options, protocols: PeerTLS.protocols,
                onProblem: { onNotice("cannot use a changed file: \($0.description)") },
                onRejected: { onNotice("\($0.address) was not let in: \($0.reason)") })
            let client = TLSClient(options) { onNotice("cannot use a changed file: \($0.description)") }
            try client.check()
            return PeerTLS(server: server, client: client)
        } catch {
            throw StoreStartError("PeerSecurity: \(error.description)")
        }
    }
}
