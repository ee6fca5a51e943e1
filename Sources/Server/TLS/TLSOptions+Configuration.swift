internal import NIOCore
internal import NIOSSL

extension TLSOptions {
    /// How long the other side may take to answer a farewell.
    private static let farewell = TimeAmount.milliseconds(500)

    /// What accepting a connection takes.
    func serverContext(protocols: [String]) throws(TLSError) -> NIOSSLContext {
        guard let identity else { throw TLSError("KeyFile and CertFile are not presented") }
        let (chain, key) = try Self.load(identity)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.applicationProtocols = protocols
        if requiresClientCertificate {
            // Who a client is, is told by its name; it has no host to be verified.
            configuration.certificateVerification = .noHostnameVerification
            configuration.trustRoots = try trustRoots()
            configuration.sendCANameList = trustedCAFile != nil
        }
        apply(to: &configuration)
        return try Self.context(configuration, identity)
    }

    /// What connecting takes.
    func clientContext(protocols: [String]) throws(TLSError) -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.applicationProtocols = protocols
        let shown = clientIdentity ?? identity
        if let shown {
            let (chain, key) = try Self.load(shown)
            configuration.certificateChain = chain.map { .certificate($0) }
            configuration.privateKey = .privateKey(key)
        }
        if trustsAnybody {
            configuration.certificateVerification = .none
        } else {
            configuration.trustRoots = try trustRoots()
        }
        apply(to: &configuration)
        return try Self.context(configuration, shown)
    }

    /// Whose changes mean another context.
    var contextFiles: [String] {
        let pairs = [identity, clientIdentity].compactMap { $0 }
        return pairs.flatMap { [$0.certificateFile, $0.keyFile] } + [trustedCAFile].compactMap { $0 }
    }

    private func apply(to configuration: inout TLSConfiguration) {
        let older = cipherSuites.filter { !$0.isOfTLS13 }
        if !older.isEmpty { configuration.cipherSuites = older.map(\.name).joined(separator: ":") }
        // Whoever names suites of TLS 1.3 alone leaves none for TLS 1.2.
        let isNew = minimumVersion == .tls13 || !cipherSuites.isEmpty && older.isEmpty
        configuration.minimumTLSVersion = isNew ? .tlsv13 : .tlsv12
        configuration.maximumTLSVersion = maximumVersion == .tls12 ? .tlsv12 : .tlsv13
        configuration.shutdownTimeout = Self.farewell
    }

    private func trustRoots() throws(TLSError) -> NIOSSLTrustRoots {
        guard let trustedCAFile else { return .default }
        return .certificates(try Self.certificates(in: trustedCAFile))
    }

    private static func certificates(in file: String) throws(TLSError) -> [NIOSSLCertificate] {
        let bytes = try FileContents.read(file)
        guard let certificates = try? NIOSSLCertificate.fromPEMBytes(bytes), !certificates.isEmpty else {
            throw TLSError("\(file): no PEM certificate that can be read")
        }
        return certificates
    }

    private static func load(
        _ identity: Identity
    ) throws(TLSError) -> (chain: [NIOSSLCertificate], key: NIOSSLPrivateKey) {
        let chain = try certificates(in: identity.certificateFile)
        let bytes = try FileContents.read(identity.keyFile)
        guard let key = try? NIOSSLPrivateKey(bytes: bytes, format: .pem) else {
            throw TLSError("\(identity.keyFile): no PEM private key without a passphrase that can be read")
        }
        return (chain, key)
    }

    private static func context(
        _ configuration: TLSConfiguration, _ identity: Identity?
    ) throws(TLSError) -> NIOSSLContext {
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            guard let identity else {
                throw TLSError("the trusted authorities cannot be used: \(TLSFailure.reason(of: error))")
            }
            // Both were read already; what is left is that they have nothing to do with each other.
            throw TLSError(
                "\(identity.keyFile): private key does not match public key of \(identity.certificateFile) "
                    + "(\(TLSFailure.reason(of: error)))")
        }
    }
}
