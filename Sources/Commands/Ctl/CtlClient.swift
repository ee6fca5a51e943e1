internal import Glibc
internal import StrakeClient
internal import StrakeClientFlags
internal import StrakeFlags

/// The client of the commands that have flags of their own.
enum CtlClient {
    /// Longer than a server takes to give up.
    private static let requestTimeout = Duration.seconds(15)

    static func make(_ flags: FlagSet, _ endpoints: [Endpoint]) throws(CtlError) -> StrakeClient {
        var options = StrakeClient.Options()
        options.requestTimeout = requestTimeout
        // Each of them may be asked; who asks again is the command.
        options.maxUnaryTries = endpoints.count
        options.security = try security(flags)
        options.credentials = try credentials(flags)
        do throws(StrakeClientError) {
            return try StrakeClient(endpoints: endpoints.map { text(of: $0) }, options: options)
        } catch {
            throw CtlError(error.message, exitCode: 2)
        }
    }

    private static func text(of endpoint: Endpoint) -> String {
        endpoint.scheme.map { "\($0.rawValue)://\(endpoint)" } ?? "\(endpoint)"
    }

    /// Nil when no flag asks for TLS.
    private static func security(_ flags: FlagSet) throws(CtlError) -> StrakeClient.Security? {
        // Says what is wrong in the flags' words.
        _ = try ClientSecurity.read(flags)
        let file = { (name: String) -> String? in flags.string(name).isEmpty ? nil : flags.string(name) }
        var security = StrakeClient.Security()
        security.trustedCAFile = file("cacert")
        (security.certificateFile, security.keyFile) = (file("cert"), file("key"))
        security.trustsAnybody = flags.bool("insecure-skip-tls-verify")
        return security == StrakeClient.Security() ? nil : security
    }

    private static func credentials(_ flags: FlagSet) throws(CtlError) -> StrakeClient.Credentials? {
        let user = value("user", flags, variable: "ETCDCTL_USER")
        guard !user.isEmpty || !flags.isSet("password") else {
            throw CtlError("--password needs --user", exitCode: 2)
        }
        return CommandUsers.credentials(
            user: user, password: value("password", flags, variable: "ETCDCTL_PASSWORD"),
            ask: { PasswordPrompt.ask("Password: ") })
    }

    /// A flag, or else the variable that other commands take for it.
    private static func value(_ name: String, _ flags: FlagSet, variable: String) -> String {
        flags.isSet(name) ? flags.string(name) : getenv(variable).map { String(cString: $0) } ?? ""
    }
}
