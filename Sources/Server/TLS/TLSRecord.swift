/// What every TLS connection begins with.
package enum TLSRecord {
    /// The type of the record that a handshake's first message comes in (RFC 8446 §5.1). No HTTP begins so.
    package static let handshake: UInt8 = 0x16
}
