/// A place to listen at, from a URL with scheme, host and port and nothing else.
package struct ListenURL: Hashable {
    package var scheme: String
    package var host: String
    package var port: Int
    package var text: String

    /// Why the text is not such a URL, in the words of etcd; `nil` when it is one.
    package static func problem(with text: String) -> String? {
        guard let (scheme, rest) = split(text), ["http", "https", "unix", "unixs"].contains(scheme) else {
            return "URL scheme must be http, https, unix, or unixs: \(text)"
        }
        if scheme.hasPrefix("unix") { return rest.isEmpty ? "URL must name a socket: \(text)" : nil }
        let authority = rest.prefix { $0 != "/" }
        guard hostAndPort(String(authority)) != nil else {
            return "URL address does not have the form \"host:port\": \(text)"
        }
        let path = rest.dropFirst(authority.count)
        return path.isEmpty ? nil : "URL must not contain a path: \(text)"
    }

    /// `nil` for a text that `problem(with:)` has something to say about, and for sockets in the file system.
    package init?(_ text: String) {
        guard Self.problem(with: text) == nil, let (scheme, rest) = Self.split(text),
            let (host, port) = Self.hostAndPort(rest)
        else { return nil }
        self.scheme = scheme
        self.host = host
        self.port = port
        self.text = text
    }

    /// Listening needs an address: a name could stand for several.
    package var isAddress: Bool {
        if host.isEmpty || host == "localhost" || host.contains(":") { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
    }

    private static func split(_ text: String) -> (scheme: String, rest: String)? {
        guard let range = text.firstRange(of: "://") else { return nil }
        return (String(text[..<range.lowerBound]), String(text[range.upperBound...]))
    }

    private static func hostAndPort(_ authority: String) -> (host: String, port: Int)? {
        guard let colon = authority.lastIndex(of: ":"), let port = UInt16(authority[authority.index(after: colon)...])
        else { return nil }
        var host = authority[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        return (String(host), Int(port))
    }
}
