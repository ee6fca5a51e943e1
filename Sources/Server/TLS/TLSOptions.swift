/// How connections of one kind, of clients or between members, are protected.
package struct TLSOptions: Sendable, Equatable {
    /// A certificate, with those of the authorities between it and a trusted one, and its key: two PEM files.
    package struct Identity: Hashable, Sendable {
        package var certificateFile: String
        package var keyFile: String

        package init(certificateFile: String, keyFile: String) {
            self.certificateFile = certificateFile
            self.keyFile = keyFile
        }
    }

    /// Shown by the accepting side, and by the connecting side when that has none of its own.
    package var identity: Identity?
    package var clientIdentity: Identity?
    /// PEM; without it the system's authorities are trusted.
    package var trustedCAFile: String?
    /// Who connects must show a certificate of a trusted authority.
    package var requiresClientCertificate = false
    package var revocationFile: String?
    /// One of them must be the certificate's common name. None: anything goes.
    package var allowedCommonNames: [String] = []
    /// The certificate must be for one of them. None: anything goes.
    package var allowedHostnames: [String] = []
    /// A certificate that names hosts or addresses must be for the address that the connection comes from.
    package var checksAddress = false
    /// The connecting side takes any certificate: of use with those that members make for themselves.
    package var trustsAnybody = false
    /// In the order of preference; empty: the library's choice.
    package var cipherSuites: [CipherSuite] = []
    package var minimumVersion = TLSProtocolVersion.tls12
    package var maximumVersion: TLSProtocolVersion?

    package init() {}

    /// Something is wanted of the certificates of who connects, beyond that a trusted authority has issued them.
    package var hasCertificateRules: Bool {
        revocationFile != nil || !allowedCommonNames.isEmpty || !allowedHostnames.isEmpty
    }
}
