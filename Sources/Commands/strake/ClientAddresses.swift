internal import StrakeEtcdService
internal import StrakeFlags

/// Where flags such as `--listen-client-urls` say to serve clients.
enum ClientAddresses {
    /// One for each place: a place that is named with and without TLS lets the client choose.
    static func read(
        _ names: [String], _ flags: FlagSet, hasTLS: Bool
    ) throws(SettingsError) -> [ClientAddress] {
        var addresses: [ClientAddress] = []
        for (flag, text) in names.flatMap({ name in flags.list(name).map { (name, $0) } }) {
            let (place, isProtected) = try place(of: text, flag: flag)
            if isProtected, !hasTLS {
                throw SettingsError(
                    "TLS key/cert (--cert-file, --key-file) must be provided for client url \(text) with HTTPS scheme",
                    .setup)
            }
            let protection: ClientAddress.Protection = isProtected ? .tls : .none
            if let known = addresses.firstIndex(where: { $0.place == place && !Self.isFresh($0.place) }) {
                if addresses[known].protection != protection { addresses[known].protection = .optional }
            } else {
                addresses.append(ClientAddress(place, protection))
            }
        }
        return addresses
    }

    /// Port 0 is another one each time.
    private static func isFresh(_ place: ClientAddress.Place) -> Bool {
        if case .port(_, 0) = place { true } else { false }
    }

    private static func place(
        of text: String, flag: String
    ) throws(SettingsError) -> (place: ClientAddress.Place, isProtected: Bool) {
        if let socket = SocketURL(text) { return (.socket(path: socket.path), socket.isProtected) }
        guard let url = ListenURL(text) else { throw SettingsError("--\(flag): \(text) cannot be listened at") }
        guard url.isAddress else {
            throw SettingsError("expected IP in URL for binding (\(text)): --\(flag) takes addresses, not names")
        }
        return (.port(host: url.host, url.port), url.scheme == "https")
    }
}
