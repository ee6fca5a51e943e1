/// A header to send. Names are lower case: HTTP/2 knows no others.
package struct HeaderField: Sendable, Equatable {
    package var name: String
    package var value: String
    /// Kept out of every HPACK table, here and in proxies (RFC 7541 §7.1.3): tokens and passwords.
    package var isSensitive: Bool

    package init(_ name: String, _ value: String, isSensitive: Bool = false) {
        self.name = name
        self.value = value
        self.isSensitive = isSensitive
    }
}
