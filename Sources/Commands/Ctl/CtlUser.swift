internal import Glibc
internal import NIOPosix
internal import StrakeClientFlags
internal import StrakeEtcdWire
internal import StrakeFlags
internal import StrakeModel

/// Who the operator is, where the cluster wants to know.
struct CtlUser: Sendable {
    private static let path = "/etcdserverpb.Auth/Authenticate"

    private let name: String
    private let password: String

    /// Nil: nobody was named.
    init?(_ flags: FlagSet) throws(CtlError) {
        let user = Self.value("user", flags, variable: "ETCDCTL_USER")
        let password = Self.value("password", flags, variable: "ETCDCTL_PASSWORD")
        guard !user.isEmpty else {
            if flags.isSet("password") { throw CtlError("--password needs --user", exitCode: 2) }
            return nil
        }
        if !password.isEmpty {
            (name, self.password) = (user, password)
            return
        }
        let parts = user.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        (name, self.password) = (parts[0], parts.count == 2 ? parts[1] : PasswordPrompt.ask("Password: "))
    }

    /// A flag, or else the variable that other commands take for it.
    private static func value(_ name: String, _ flags: FlagSet, variable: String) -> String {
        flags.isSet(name) ? flags.string(name) : getenv(variable).map { String(cString: $0) } ?? ""
    }

    /// A token for the next calls.
    func token(
        at endpoint: Endpoint, _ security: ClientSecurity, on group: MultiThreadedEventLoopGroup
    ) async throws(CallError) -> String {
        let request = AuthPasswordRequest(name: AuthName(name), password: Array(password.utf8))
        let call = GRPCCall(path: Self.path, message: request.encoded(), security: security)
        let answer = try await call.run(at: endpoint, on: group)
        do {
            return try answer.withUnsafeBytes { try AuthenticateResponse(protobuf: $0) }.token
        } catch {
            throw CallError(message: "the answer is no AuthenticateResponse: \(error)")
        }
    }
}

extension GRPCCall {
    /// The same call as a user's, who is asked for his token first.
    func run(
        at endpoint: Endpoint, as user: CtlUser?, on group: MultiThreadedEventLoopGroup, each: @escaping Taker
    ) async throws(CallError) {
        var call = self
        call.token = try await user?.token(at: endpoint, security, on: group)
        try await call.run(at: endpoint, on: group, each: each)
    }

    func run(
        at endpoint: Endpoint, as user: CtlUser?, on group: MultiThreadedEventLoopGroup
    ) async throws(CallError) -> [UInt8] {
        var call = self
        call.token = try await user?.token(at: endpoint, security, on: group)
        return try await call.run(at: endpoint, on: group)
    }
}
