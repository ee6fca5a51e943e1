internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import NIOSSL

/// What the other side's certificate must be, beyond having been issued by a trusted authority.
///
/// The rules are looked at after each handshake, also one that goes on with an older session's keys, in which no
/// certificate is verified again.
struct PeerRules: Sendable {
    let commonNames: [String]
    let hostnames: [String]
    let checksAddress: Bool
    let revocations: FileBacked<RevocationList>?
    /// TLS itself sees to it; this is for the case that it does not.
    var requiresCertificate: Bool
    /// Whom the connection was made to: the certificate must be for this host.
    var host: String?

    init(_ options: TLSOptions, onProblem: @escaping @Sendable (TLSError) -> Void) {
        commonNames = options.allowedCommonNames
        hostnames = options.allowedHostnames
        checksAddress = options.checksAddress
        requiresCertificate = options.requiresClientCertificate
        revocations = options.revocationFile.map { path in
            FileBacked([path], onProblem: onProblem) { () throws(TLSError) -> RevocationList in
                try RevocationList(FileContents.read(path), path: path)
            }
        }
    }

    /// Why the certificate is refused, as far as it tells by itself; nil when it is not.
    ///
    /// - Parameter chain: With the authorities between it and a trusted one, which must not be revoked either.
    func refusal(of certificate: NIOSSLCertificate, _ names: CertificateNames, _ chain: VerifiedChain?) -> String? {
        if certificate.notValidAfter < time(nil) { return "the certificate has expired" }
        if let host, !names.covers(host) { return "the certificate is not for \(host)" }
        if !commonNames.isEmpty, !commonNames.contains(names.commonName ?? "") {
            return "client certificate authentication failed: the common name is not allowed"
        }
        if !hostnames.isEmpty, !hostnames.contains(where: names.covers) {
            return "client certificate authentication failed: the certificate is for no allowed host name"
        }
        guard let revocations else { return nil }
        do throws(TLSError) {
            let (list, problem) = try revocations.current()
            // What it would say now is not known: etcd lets nobody in either.
            if let problem { return problem.description }
            let shown = [names.serial] + (chain?.shownSerials ?? [])
            guard let serial = shown.first(where: list.contains) else { return nil }
            return "certificate serial \(serial.map(Self.hexadecimal).joined()) revoked"
        } catch {
            return error.description
        }
    }

    private static func hexadecimal(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }

    /// Whether the certificate is for where the connection comes from. Names are looked up, which takes its time: on
    /// another thread.
    func addressRefusal(
        of names: CertificateNames, at address: SocketAddress?, on eventLoop: any EventLoop
    ) -> EventLoopFuture<String?> {
        guard checksAddress, !names.addresses.isEmpty || !names.dnsNames.isEmpty,
            let text = address?.ipAddress, let bytes = IPAddress.bytes(text)
        else { return eventLoop.makeSucceededFuture(nil) }
        if names.addresses.contains(bytes) { return eventLoop.makeSucceededFuture(nil) }
        let known = names.dnsNames
        guard !known.isEmpty else {
            return eventLoop.makeSucceededFuture("the certificate is not for \(text)")
        }
        return NIOThreadPool.singleton.runIfActive(eventLoop: eventLoop) { () -> String? in
            if HostLookup.isAddress(bytes, text, oneOf: known) { return nil }
            return "tls: \"\(text)\" does not match any of DNSNames [\(known.joined(separator: " "))]"
        }
    }
}
