/// Somebody connected and was not let in.
package struct RejectedConnection: Hashable, Sendable {
    /// Where the connection came from.
    package var address: String
    package var reason: String
    /// What the certificate says it is for, when one was shown.
    package var certificateNames: [String]

    package init(address: String, reason: String, certificateNames: [String] = []) {
        self.address = address
        self.reason = reason
        self.certificateNames = certificateNames
    }
}
