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
        let user = flags.isSet("user") ? flags.string("user") : ""
        guard !user.isEmpty else {
            if flags.isSet("password") { throw CtlError("--password needs --user", exitCode: 2) }
            return nil
        }
        if flags.isSet("password") {
            (name, password) = (user, flags.string("password"))
            return
        }
        let parts = user.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2 else {
            throw CtlError("--user must be NAME:PASSWORD, or --password be given", exitCode: 2)
        }
        (name, password) = (parts[0], parts[1])
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
