/// Where clients are served, and how their connections are protected.
package struct ClientAddress: Hashable, Sendable {
    package enum Place: Hashable, Sendable, CustomStringConvertible {
        case port(host: String, Int)
        /// A socket in the file system.
        case socket(path: String)

        package var description: String {
            switch self {
            case .port(let host, let port): "\(host):\(port)"
            case .socket(let path): path
            }
        }
    }

    package enum Protection: Hashable, Sendable {
        case none, tls
        /// The client chooses: its first byte tells.
        case optional
    }

    package var host: String? {
        if case .port(let host, _) = place { host } else { nil }
    }

    /// For the log.
    package var url: String {
        switch (place, protection) {
        case (.port(let host, let port), let protection):
            "\(protection == .none ? "http" : "https")://\(host.contains(":") ? "[\(host)]" : host):\(port)"
        case (.socket(let path), let protection): "\(protection == .none ? "unix" : "unixs")://\(path)"
        }
    }

    package var place: Place
    package var protection: Protection

    package init(_ place: Place, _ protection: Protection = .none) {
        self.place = place
        self.protection = protection
    }
}
