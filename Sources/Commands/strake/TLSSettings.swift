internal import StrakeEtcdService
internal import StrakeFlags
internal import StrakeTLS

/// What the flags say about the protection of connections.
struct TLSSettings {
    /// Of clients and of members.
    var client = TLSOptions()
    var peer = TLSOptions()
    /// A certificate is made where none is given.
    var makesClientCertificate = false
    var makesPeerCertificate = false
    /// Years.
    var certificateValidity: Int64

    init(_ flags: FlagSet) throws(SettingsError) {
        certificateValidity = flags.integer("self-signed-cert-validity")
        var common = TLSOptions()
        do throws(TLSError) {
            try Self.readVersions(flags, into: &common)
        } catch {
            throw SettingsError(error.description)
        }
        do throws(TLSError) {
            try Self.readCipherSuites(flags, into: &common)
            client = common
            client.identity = Self.identity("cert-file", "key-file", flags)
            client.clientIdentity = try Self.clientIdentity("client-cert-file", "client-key-file", flags)
            client.trustedCAFile = Self.file("trusted-ca-file", flags)
            client.requiresClientCertificate = flags.bool("client-cert-auth") || client.trustedCAFile != nil
            client.revocationFile = Self.file("client-crl-file", flags)
            client.allowedHostnames = flags.list("client-cert-allowed-hostname")
            peer = common
            peer.identity = Self.identity("peer-cert-file", "peer-key-file", flags)
            peer.clientIdentity = try Self.clientIdentity("peer-client-cert-file", "peer-client-key-file", flags)
            peer.trustedCAFile = Self.file("peer-trusted-ca-file", flags)
            peer.requiresClientCertificate = flags.bool("peer-client-cert-auth") || peer.trustedCAFile != nil
            peer.revocationFile = Self.file("peer-crl-file", flags)
            peer.allowedCommonNames = flags.list("peer-cert-allowed-cn")
            peer.allowedHostnames = flags.list("peer-cert-allowed-hostname")
            peer.checksAddress = !flags.bool("peer-skip-client-san-verification")
        } catch {
            throw SettingsError(error.description, .setup)
        }
        makesClientCertificate = flags.bool("auto-tls") && client.identity == nil
        makesPeerCertificate = flags.bool("peer-auto-tls") && peer.identity == nil
        peer.trustsAnybody = makesPeerCertificate
        if makesClientCertificate || makesPeerCertificate, certificateValidity == 0 {
            throw SettingsError("selfSignedCertValidity is invalid,it should be greater than 0", .setup)
        }
    }

    private static func file(_ flag: String, _ flags: FlagSet) -> String? {
        let path = flags.string(flag)
        return path.isEmpty ? nil : path
    }

    /// Half of one is told where it is used.
    private static func identity(_ certificate: String, _ key: String, _ flags: FlagSet) -> TLSOptions.Identity? {
        let (certificate, key) = (flags.string(certificate), flags.string(key))
        if certificate.isEmpty, key.isEmpty { return nil }
        return TLSOptions.Identity(certificateFile: certificate, keyFile: key)
    }

    private static func clientIdentity(
        _ certificate: String, _ key: String, _ flags: FlagSet
    ) throws(TLSError) -> TLSOptions.Identity? {
        guard let identity = identity(certificate, key, flags) else { return nil }
        guard !identity.certificateFile.isEmpty, !identity.keyFile.isEmpty else {
            throw TLSError(
                "ClientKeyFile and ClientCertFile must both be present or both absent: key: \(identity.keyFile), "
                    + "cert: \(identity.certificateFile)] (--\(certificate), --\(key))")
        }
        return identity
    }

    private static func readVersions(_ flags: FlagSet, into options: inout TLSOptions) throws(TLSError) {
        let (lowest, highest) = (flags.string("tls-min-version"), flags.string("tls-max-version"))
        let minimum = try TLSProtocolVersion.parse(lowest)
        options.minimumVersion = minimum ?? .tls12
        options.maximumVersion = try TLSProtocolVersion.parse(highest)
        if let maximum = options.maximumVersion, options.minimumVersion > maximum {
            throw TLSError("min version (\(lowest)) is greater than max version (\(highest))")
        }
        if options.minimumVersion == .tls13, !flags.list("cipher-suites").isEmpty {
            throw TLSError("cipher suites cannot be configured when only TLS1.3 is enabled")
        }
    }

    private static func readCipherSuites(_ flags: FlagSet, into options: inout TLSOptions) throws(TLSError) {
        var seen: Set<CipherSuite> = []
        for text in flags.list("cipher-suites") {
            let suite = try CipherSuite(text)
            if seen.insert(suite).inserted { options.cipherSuites.append(suite) }
        }
    }
}
