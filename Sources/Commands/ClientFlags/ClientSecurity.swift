package import StrakeFlags
package import StrakeTLS

/// Whom a client trusts, and what it shows of itself: etcdctl's flags.
package struct ClientSecurity: Sendable {
    package static let flags = [
        Flag(
            name: "cacert", kind: .string, fallback: "",
            help: "Authorities that servers' certificates come from, PEM; without it, those of the system.",
            section: "Security"),
        Flag(
            name: "cert", kind: .string, fallback: "", help: "Certificate to show to servers, PEM.",
            section: "Security"),
        Flag(name: "key", kind: .string, fallback: "", help: "Key of --cert, PEM.", section: "Security"),
        Flag(
            name: "insecure-skip-tls-verify", kind: .bool, fallback: "false",
            help: "Take any server's certificate. Whoever is on the way can read and change everything then.",
            section: "Security"),
    ]

    private let tls: TLSClient
    /// Endpoints without a scheme are protected, since a flag says how.
    private let isAsked: Bool

    /// - Throws: What is wrong with a flag or its file.
    package init(_ flags: FlagSet) throws(TLSError) {
        var options = TLSOptions()
        let (certificate, key, authorities) = (flags.string("cert"), flags.string("key"), flags.string("cacert"))
        guard certificate.isEmpty == key.isEmpty else { throw TLSError("--cert and --key go together") }
        if !certificate.isEmpty { options.identity = .init(certificateFile: certificate, keyFile: key) }
        if !authorities.isEmpty { options.trustedCAFile = authorities }
        options.trustsAnybody = flags.bool("insecure-skip-tls-verify")
        isAsked = options != TLSOptions()
        tls = TLSClient(options, protocols: ["h2"])
        if isAsked { try tls.check() }
    }

    /// What protects connections to the endpoint; nil when nothing does.
    package func tls(for endpoint: Endpoint) -> TLSClient? {
        switch endpoint.scheme {
        case .https: tls
        case .http: nil
        case nil: isAsked ? tls : nil
        }
    }
}
