/// Where a member listens for others, or is reached by them: `http://host:port`, or `https` with TLS, and nothing else.
package struct PeerURL: Hashable, Sendable {
    package var host: String
    package var port: Int
    package var isSecure: Bool
    package var text: String

    /// Why a text is no such URL: a sentence for the operator.
    package struct Problem: Error, Hashable, Sendable, CustomStringConvertible {
        package var description: String
    }

    package init(_ text: String) throws(Problem) {
        guard let separator = text.firstRange(of: "://") else {
            throw Problem(description: "peer URL \(text) does not have the form http://host:port")
        }
        let scheme = text[..<separator.lowerBound]
        guard scheme == "http" || scheme == "https" else {
            throw Problem(
                description: "peer URL \(text) has the scheme \(scheme), but members speak http and https only")
        }
        let authority = text[separator.upperBound...]
        guard !authority.contains("/"), let colon = authority.lastIndex(of: ":"),
            let port = UInt16(authority[authority.index(after: colon)...])
        else { throw Problem(description: "peer URL \(text) does not have the form http://host:port") }
        var host = authority[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            throw Problem(description: "peer URL \(text) has an IPv6 address without brackets")
        }
        self.host = String(host)
        self.port = Int(port)
        isSecure = scheme == "https"
        self.text = text
    }
}
