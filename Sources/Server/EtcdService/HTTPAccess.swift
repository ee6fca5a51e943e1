/// Which plain HTTP requests are answered, and which pages may read the answers.
struct HTTPAccess {
    private let origins: Set<String>
    private let hosts: Set<String>

    init(_ options: ServiceOptions) {
        origins = options.corsOrigins
        hosts = options.hostWhitelist
    }

    /// A page can have a browser ask anyone by giving its own name a new address, and only the name tells. With TLS the
    /// certificate does.
    func refusal(of request: HTTPRequest) -> HTTPAnswer? {
        let name = Self.name(in: request.host)
        if request.isSecure || hosts.isEmpty || hosts.contains("*") || hosts.contains(name) { return nil }
        return HTTPAnswer(
            status: 421,
            headers: [("content-type", "text/plain; charset=utf-8"), ("x-content-type-options", "nosniff")],
            body: "The host \"\(name)\" is not served here: --host-whitelist does not name it.\n")
    }

    /// What lets a browser show the answer to the page that asked for it.
    func headers(for request: HTTPRequest) -> [(name: String, value: String)] {
        let origin: String
        if origins.isEmpty || origins.contains("*") {
            origin = "*"
        } else if let asking = request.origin, origins.contains(asking) {
            origin = asking
        } else {
            return []
        }
        return [
            ("access-control-allow-headers", "accept, content-type, authorization"),
            ("access-control-allow-methods", "POST, GET, OPTIONS, PUT, DELETE"),
            ("access-control-allow-origin", origin),
        ]
    }

    /// The host without its port; the brackets of an IPv6 address go too.
    private static func name(in host: String) -> String {
        if host.hasPrefix("["), let end = host.firstIndex(of: "]") {
            return String(host[host.index(after: host.startIndex)..<end])
        }
        return String(host.prefix { $0 != ":" })
    }
}
