package import StrakeTLS

extension StrakeClient {
    /// Whom a client trusts, and what it shows of itself, on protected connections. Files are PEM, and are read again when
    /// they have changed.
    public struct Security: Hashable, Sendable {
        /// Authorities that members' certificates come from; nil: those of the system.
        public var trustedCAFile: String?
        /// What is shown to members that ask for a certificate: both, or neither.
        public var certificateFile: String?
        public var keyFile: String?
        /// Takes any certificate. Whoever is on the way can read and change everything then.
        public var trustsAnybody = false

        public init() {}

        /// - Parameter protocols: What is spoken inside, in ALPN's names.
        package func tls(protocols: [String] = ["h2"]) -> TLSClient {
            var options = TLSOptions()
            if let certificateFile, let keyFile {
                options.identity = .init(certificateFile: certificateFile, keyFile: keyFile)
            }
            options.trustedCAFile = trustedCAFile
            options.trustsAnybody = trustsAnybody
            return TLSClient(options, protocols: protocols)
        }
    }
}
