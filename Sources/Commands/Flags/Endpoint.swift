/// Where a server serves clients.
package struct Endpoint: Hashable, Sendable, CustomStringConvertible {
    package var host: String
    package var port: Int

    /// From `host:port`, as etcdctl takes it, or from a URL of that. `nil` for any other text.
    package init?(_ text: String) {
        guard let url = ListenURL(text.contains("://") ? text : "http://" + text), url.scheme == "http", url.port > 0,
            !url.host.isEmpty
        else { return nil }
        host = url.host
        port = url.port
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
