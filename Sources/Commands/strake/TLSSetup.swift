internal import StrakeEtcdService
internal import StrakeFlags
internal import StrakeLogging
internal import StrakePeers
internal import StrakeStore
internal import StrakeTLS

/// Turns what the flags say about TLS into what listeners and connections use, and tells the operator.
enum TLSSetup {
    /// Whose connections are meant, in etcd's log lines.
    enum Endpoint: String {
        case client, peer
    }

    /// What the listeners and the way to the other members need.
    static func open(
        _ settings: ServerSettings, _ rejections: RejectionLog, _ log: ServerLog
    ) throws(SettingsError) -> (clients: TLSServer?, peers: PeerTLS) {
        var tls = settings.tls
        if tls.makesClientCertificate {
            let hosts = settings.clientAddresses.compactMap(\.host) + hostNames(of: settings.store.clientURLs)
            tls.client.identity = try makeCertificate(.client, hosts, settings, log)
        }
        if tls.makesPeerCertificate {
            let hosts = settings.peerURLs.map(\.host) + hostNames(of: settings.store.peerURLs)
            tls.peer.identity = try makeCertificate(.peer, hosts, settings, log)
        }
        warnOfPlain(
            settings.clientAddresses.filter { $0.protection != .tls }.map(\.url), tls.client, .client,
            scheme: "http or unix", log)
        warnOfPlain(settings.peerURLs.filter { !$0.isSecure }.map(\.text), tls.peer, .peer, scheme: "HTTP", log)
        var clients: TLSServer?
        try checkWhole(tls.peer.identity)
        if settings.clientAddresses.contains(where: { $0.protection != .none }) {
            try checkWhole(tls.client.identity)
            clients = try server(tls.client, .client, ["h2", "http/1.1"], rejections, log)
        }
        var peers = PeerTLS(client: client(tls.peer, log))
        if let url = settings.peerURLs.first(where: { $0.isSecure }) {
            guard tls.peer.identity != nil else {
                throw SettingsError(
                    "cannot listen on TLS for \(url.text): KeyFile and CertFile are not presented "
                        + "(--peer-cert-file, --peer-key-file)")
            }
            peers.server = try server(tls.peer, .peer, PeerTLS.protocols, rejections, log)
        }
        if tls.peer.identity != nil || tls.peer.clientIdentity != nil || tls.peer.trustedCAFile != nil {
            do throws(TLSError) { try peers.client.check() } catch { throw SettingsError(error.description) }
        }
        return (clients, peers)
    }

    private static func hostNames(of urls: [String]) -> [String] { urls.compactMap { ListenURL($0)?.host } }

    /// Where etcd puts it too.
    private static func makeCertificate(
        _ endpoint: Endpoint, _ hosts: [String], _ settings: ServerSettings, _ log: ServerLog
    ) throws(SettingsError) -> TLSOptions.Identity {
        var known: Set<String> = []
        let hosts = hosts.filter { !$0.isEmpty && known.insert($0).inserted }
        let directory = "\(settings.store.dataDirectory)/fixtures/\(endpoint)"
        do throws(TLSError) {
            let (identity, isNew) = try SelfSignedCertificate.ensure(
                in: directory, hosts: hosts, years: settings.tls.certificateValidity)
            if isNew {
                log.write(
                    .warn, "automatically generate certificates",
                    ["path": identity.certificateFile, "years": String(settings.tls.certificateValidity)])
            }
            return identity
        } catch {
            throw SettingsError("failed to get \(endpoint) self-signed certs: \(error.description)")
        }
    }

    /// A certificate is of no use without its key.
    private static func checkWhole(_ identity: TLSOptions.Identity?) throws(SettingsError) {
        guard let identity, identity.keyFile.isEmpty || identity.certificateFile.isEmpty else { return }
        throw SettingsError(
            "KeyFile and CertFile must both be present[key: \(identity.keyFile), cert: \(identity.certificateFile)]")
    }

    private static func warnOfPlain(
        _ urls: [String], _ options: TLSOptions, _ endpoint: Endpoint, scheme: String, _ log: ServerLog
    ) {
        for url in urls {
            if options.identity != nil {
                log.write(
                    .warn, "scheme is \(scheme) while key and cert files are present; ignoring key and cert files",
                    ["\(endpoint)-url": url])
            }
            if options.requiresClientCertificate {
                log.write(
                    .warn,
                    "scheme is \(scheme) while client cert auth is enabled; ignoring client cert auth for this URL",
                    ["\(endpoint)-url": url])
            }
        }
    }

    /// For the accepting side.
    private static func server(
        _ options: TLSOptions, _ endpoint: Endpoint, _ protocols: [String], _ rejections: RejectionLog,
        _ log: ServerLog
    ) throws(SettingsError) -> TLSServer {
        log.write(
            .info, "starting with \(endpoint) TLS",
            [
                "tls-info": describe(options),
                "cipher-suites": "[" + options.cipherSuites.map(\.name).joined(separator: " ") + "]",
            ])
        if !options.requiresClientCertificate, options.hasCertificateRules {
            // As in etcd they let everybody in then, which is hardly what was meant.
            log.write(
                .warn,
                "there are rules for certificates of who connects, but none is asked for: "
                    + "--\(endpoint == .peer ? "peer-" : "")client-cert-auth",
                ["endpoint": endpoint.rawValue])
        }
        do throws(TLSError) {
            return try TLSServer(
                options, protocols: protocols, onProblem: { problem in note(problem, endpoint, log) },
                onRejected: { rejections.write($0, endpoint) })
        } catch {
            throw SettingsError(error.description)
        }
    }

    /// For the connecting side, towards other members.
    private static func client(_ options: TLSOptions, _ log: ServerLog) -> TLSClient {
        TLSClient(options, onProblem: { problem in note(problem, .peer, log) })
    }

    private static func note(_ problem: TLSError, _ endpoint: Endpoint, _ log: ServerLog) {
        log.write(
            .warn, "cannot use a changed file of the \(endpoint) TLS",
            ["error": problem.description])
    }

    /// Files, never what is in them.
    private static func describe(_ options: TLSOptions) -> String {
        "cert = \(options.identity?.certificateFile ?? ""), key = \(options.identity?.keyFile ?? ""), "
            + "client-cert=\(options.clientIdentity?.certificateFile ?? ""), "
            + "client-key=\(options.clientIdentity?.keyFile ?? ""), trusted-ca = \(options.trustedCAFile ?? ""), "
            + "client-cert-auth = \(options.requiresClientCertificate), crl-file = \(options.revocationFile ?? "")"
    }
}
