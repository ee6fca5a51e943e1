/// Error codes of RST_STREAM and GOAWAY (RFC 9113 §7).
package enum ErrorCode: UInt32, Sendable {
    case noError = 0
    case protocolError
    case internalError
    case flowControlError
    case settingsTimeout
    case streamClosed
    case frameSizeError
    case refusedStream
    case cancel
    case compressionError
    case connectError
    case enhanceYourCalm
    case inadequateSecurity
    case http11Required

    /// A code from the wire; unknown ones count as INTERNAL_ERROR (RFC 9113 §7).
    init(wire: UInt32) {
        self = ErrorCode(rawValue: wire) ?? .internalError
    }
}
