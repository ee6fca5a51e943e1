internal import NIOSSL

/// The certificates between a trusted authority's and the one that was shown, as TLS has verified them. A session that goes
/// on with the keys of an older one is not verified again and has none.
///
/// Used on the connection's event loop alone.
final class VerifiedChain {
    /// From the trusted authority's to the one that was shown.
    private var verified: [NIOSSLCertificate] = []

    /// The serial numbers, big-endian, of what the other side showed to be trusted: its own and those of the authorities
    /// between. The trusted authority's own is not one of them.
    var shownSerials: [[UInt8]] { verified.dropFirst().map(\.serialNumber) }

    /// TLS for an accepted connection, whose chain is noted here. What TLS makes of each certificate stays as it is.
    func serverHandler(context: NIOSSLContext) throws -> NIOSSLServerHandler {
        try Self.make(context) { result, certificate in
            if result == .certificateVerified { self.verified.append(certificate) }
            return result
        }
    }

    private static func make<Handler: ChainObserving>(
        _ context: NIOSSLContext, _ observe: @escaping NIOSSLVerificationCallback
    ) throws -> Handler {
        try Handler(context: context, verificationCallback: observe)
    }
}

/// NIOSSL calls this initializer deprecated, for it is easily misused to let certificates pass that are not valid. The one
/// that it recommends replaces the verification by the program's own; here it is to be watched, not replaced.
private protocol ChainObserving {
    init(context: NIOSSLContext, verificationCallback: NIOSSLVerificationCallback?) throws
}

extension NIOSSLServerHandler: ChainObserving {}
