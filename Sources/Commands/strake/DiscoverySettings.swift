internal import StrakeClient
internal import StrakeDiscovery
internal import StrakeFlags

/// What the flags say about the way to the other members, where they are not named.
enum DiscoverySettings {
    case service(DiscoveryOptions)
    /// - suffix: Of the services' names.
    case records(domain: String, suffix: String)

    /// grpc-go's lower bound, which etcd's flag is under too. etcd's servers end connections that ask more often than
    /// every 5 s.
    private static let keepAliveMillisecondsMin: Int64 = 10_000

    /// What stands in the place of --initial-cluster-token.
    var token: String? {
        switch self {
        case .service(let service): service.token
        case .records: nil
        }
    }

    /// Nil when the flags name the members.
    static func read(_ flags: FlagSet) throws(SettingsError) -> DiscoverySettings? {
        let domain = flags.string("discovery-srv")
        let places = [
            flags.isSet("initial-cluster") ? flags.string("initial-cluster") : "", flags.string("discovery-endpoints"),
            domain,
        ]
        guard places.filter({ !$0.isEmpty }).count <= 1 else {
            throw SettingsError(
                "multiple discovery or bootstrap flags are set. Choose one of \"initial-cluster\", "
                    + "\"discovery-endpoints\" or \"discovery-srv\"")
        }
        if let service = try service(flags) { return .service(service) }
        return domain.isEmpty ? nil : .records(domain: domain, suffix: flags.string("discovery-srv-name"))
    }

    private static func service(_ flags: FlagSet) throws(SettingsError) -> DiscoveryOptions? {
        let token = flags.string("discovery-token")
        let endpoints = flags.string("discovery-endpoints").split(separator: ",", omittingEmptySubsequences: false)
            .map { Flag.Kind.trimmed($0) }
        let hasEndpoints = endpoints != [""]
        guard token.isEmpty != hasEndpoints else {
            throw SettingsError("both --discovery-token and --discovery-endpoints must be set")
        }
        guard hasEndpoints else { return nil }
        for endpoint in endpoints {
            guard !endpoint.isEmpty else {
                throw SettingsError("--discovery-endpoints must not contain empty endpoints")
            }
            do throws(StrakeClientError) {
                _ = try Address(endpoint)
            } catch {
                throw SettingsError("--discovery-endpoints: \(error.message)")
            }
        }
        return DiscoveryOptions(token: token, endpoints: endpoints, client: try options(flags))
    }

    private static func options(_ flags: FlagSet) throws(SettingsError) -> StrakeClient.Options {
        func time(_ name: String) throws(SettingsError) -> Int64 {
            let milliseconds = flags.milliseconds("discovery-" + name)
            guard milliseconds >= 0 else { throw SettingsError("--discovery-\(name) must not be below 0") }
            return milliseconds
        }
        var options = StrakeClient.Options()
        options.dialTimeout = .milliseconds(try time("dial-timeout"))
        options.requestTimeout = .milliseconds(try time("request-timeout"))
        let pause = try time("keepalive-time")
        options.keepAliveTime = pause == 0 ? nil : .milliseconds(max(pause, keepAliveMillisecondsMin))
        options.keepAliveTimeout = .milliseconds(try time("keepalive-timeout"))
        options.security = try security(flags)
        options.credentials = credentials(flags)
        return options
    }

    /// Nil: endpoints without a scheme are plain.
    private static func security(_ flags: FlagSet) throws(SettingsError) -> StrakeClient.Security? {
        func file(_ name: String) -> String? {
            let path = flags.string("discovery-" + name)
            return path.isEmpty ? nil : path
        }
        var security = StrakeClient.Security()
        security.certificateFile = file("cert")
        security.keyFile = file("key")
        security.trustedCAFile = file("cacert")
        security.trustsAnybody = flags.bool("discovery-insecure-skip-tls-verify")
        guard (security.certificateFile == nil) == (security.keyFile == nil) else {
            throw SettingsError("--discovery-cert and --discovery-key go together")
        }
        let isAsked = security != StrakeClient.Security() || !flags.bool("discovery-insecure-transport")
        return isAsked ? security : nil
    }

    /// Nil without a password, as in etcd: there is nobody at a server to be asked for one.
    private static func credentials(_ flags: FlagSet) -> StrakeClient.Credentials? {
        var user = flags.string("discovery-user")[...]
        var password = flags.string("discovery-password")[...]
        if password.isEmpty, let colon = user.firstIndex(of: ":") {
            password = user[user.index(after: colon)...]
            user = user[..<colon]
        }
        guard !user.isEmpty, !password.isEmpty else { return nil }
        return StrakeClient.Credentials(user: String(user), password: String(password))
    }

    /// What of it is left without effect.
    static func warnings(_ flags: FlagSet) -> [String] {
        guard !flags.string("discovery-endpoints").isEmpty, credentials(flags) == nil else { return [] }
        guard !flags.string("discovery-user").isEmpty || !flags.string("discovery-password").isEmpty else { return [] }
        return ["--discovery-user and --discovery-password change nothing without each other"]
    }
}
