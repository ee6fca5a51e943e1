/// Where a server serves clients.
package struct Endpoint: Hashable, Sendable, CustomStringConvertible {
    package enum Scheme: String, Hashable, Sendable {
        case http, https
    }

    package var host: String
    package var port: Int
    /// Nil when only host and port were given.
    package var scheme: Scheme?

    /// From `host:port`, as etcdctl takes it, or from a URL of that. `nil` for any other text.
    package init?(_ text: String) {
        let isURL = text.contains("://")
        guard let url = ListenURL(isURL ? text : "http://" + text), let scheme = Scheme(rawValue: url.scheme),
            url.port > 0, !url.host.isEmpty
        else { return nil }
        host = url.host
        port = url.port
        self.scheme = isURL ? scheme : nil
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
