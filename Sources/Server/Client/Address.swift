/// Where a member serves clients.
package struct Address: Hashable, Sendable {
    package enum Place: Hashable, Sendable {
        case host(String, port: Int)
        case socket(path: String)
    }

    /// As it was given: etcd's tools print it like that.
    package let text: String
    package let place: Place
    /// By its scheme; nil when it has none, and the client's options say.
    package let isSecure: Bool?

    /// From `host:port`, as etcdctl takes it, from `http://host:port` and `https://host:port`, or from `unix://path` and
    /// `unixs://path`.
    ///
    /// - Throws: `invalidArgument` that says what is wrong.
    package init(_ text: String) throws(StrakeClientError) {
        self.text = text
        var scheme: String?
        var rest = text[...]
        if let colon = text.firstRange(of: "://") {
            scheme = String(text[..<colon.lowerBound])
            rest = text[colon.upperBound...]
        }
        switch scheme {
        case nil: isSecure = nil
        case "http"?, "unix"?: isSecure = false
        case "https"?, "unixs"?: isSecure = true
        default: throw Self.problem(text, "its scheme is none of http, https, unix and unixs")
        }
        if scheme == "unix" || scheme == "unixs" {
            guard !rest.isEmpty else { throw Self.problem(text, "it names no socket") }
            place = .socket(path: String(rest))
            return
        }
        if rest.last == "/" { rest = rest.dropLast() }
        guard let colon = rest.lastIndex(of: ":"), let port = UInt16(rest[rest.index(after: colon)...]), port > 0 else {
            throw Self.problem(text, "it does not have the form host:port")
        }
        var host = rest[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") || host.contains("/") {
            throw Self.problem(text, "it does not have the form host:port")
        }
        guard !host.isEmpty else { throw Self.problem(text, "it names no host") }
        place = .host(String(host), port: Int(port))
    }

    /// What the certificate must be for, where the connection is protected.
    package var host: String {
        switch place {
        case .host(let host, _): host
        case .socket: "localhost"
        }
    }

    /// What a request says that it is for.
    package var authority: String {
        switch place {
        case .host(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .socket: "localhost"
        }
    }

    private static func problem(_ text: String, _ reason: String) -> StrakeClientError {
        StrakeClientError(.invalidArgument, "endpoint \"\(text)\": \(reason)")
    }
}
