/// The versions of TLS that are spoken.
package enum TLSProtocolVersion: Int, Comparable, Sendable {
    case tls12, tls13

    /// Nil for the empty text: no choice was made.
    package static func parse(_ text: String) throws(TLSError) -> TLSProtocolVersion? {
        switch text {
        case "": nil
        case "TLS1.2": .tls12
        case "TLS1.3": .tls13
        default: throw TLSError("unexpected TLS version \"\(text)\" (must be one of: TLS1.2, TLS1.3)")
        }
    }

    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}
