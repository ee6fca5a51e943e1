internal import NIOSSL

/// Why a protected connection was not made, or ended.
package enum TLSFailure {
    /// A few words for the operator, for any error.
    package static func reason(of error: any Error) -> String {
        switch error {
        case NIOSSLError.handshakeFailed(let cause): return "TLS handshake failed: \(reason(of: cause))"
        case let cause as BoringSSLError: return "TLS failed: \(reason(of: cause))"
        case NIOSSLError.uncleanShutdown: return "the connection was cut"
        case NIOSSLError.noCertificateToValidate: return "no certificate was shown"
        case NIOSSLError.failedToLoadPrivateKey: return "the key does not fit"
        case let error as NIOSSLExtraError where error == .failedToValidateHostname:
            return "the certificate is not for this host"
        default: return "\(error)"
        }
    }

    private static func reason(of cause: BoringSSLError) -> String {
        switch cause {
        case .sslError(let stack), .unknownError(let stack):
            if stack.contains(.eofDuringHandshake) { return "EOF" }
            return stack.first.map { words(of: $0.description) } ?? "for an unknown reason"
        case .syscallError, .zeroReturn: return "EOF"
        default: return "\(cause)"
        }
    }

    /// The library's errors read `… OPENSSL_internal:CERTIFICATE_VERIFY_FAILED at /a/path:123`, of which the words in capitals
    /// are what a reader wants.
    private static func words(of text: String) -> String {
        guard let mark = text.firstRange(of: "OPENSSL_internal:") else { return text }
        let name = text[mark.upperBound...].prefix { $0 != " " }
        return name.lowercased().split(separator: "_").joined(separator: " ")
    }
}
