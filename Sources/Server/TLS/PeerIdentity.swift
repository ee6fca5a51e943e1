/// Who is at the other end of a protected connection.
package struct PeerIdentity: Hashable, Sendable {
    /// The common name in a certificate that a trusted authority has issued. Nil when none was asked for, or it has none.
    package var commonName: String?

    package init(commonName: String? = nil) {
        self.commonName = commonName
    }
}
