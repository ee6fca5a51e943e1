internal import StrakeClient

/// What every command is given: its arguments, how to print, and a client.
struct CommandContext: Sendable {
    let arguments: CommandArguments
    let printer: Printer
    let program: Program
    private let users: CommandUsers
    /// Nil without --debug.
    private let debug: DebugOutput?

    var words: [String] { arguments.words }
    var endpoints: [String] { arguments.list("endpoints") }

    init(_ arguments: CommandArguments, _ program: Program) throws(CommandFailure) {
        self.arguments = arguments
        self.program = program
        users = CommandUsers(arguments)
        guard let format = Printer.Format(rawValue: arguments.text("write-out")) else {
            throw CommandFailure("unsupported output format", CommandFailure.badFeature)
        }
        printer = Printer(format: format, isHex: arguments.flag("hex"))
        debug = DebugOutput(arguments)
    }

    /// With --debug: the options that the command goes by.
    func showOptions() { debug?.showOptions(arguments) }

    /// How all of etcdctl's commands connect, and whose token they get: here, so that a wrong password is told first.
    func client(
        to endpoints: [String]? = nil, flagPrefix: String = "", isPatient: Bool = false, requiresLeader: Bool = false
    ) async throws(CommandFailure) -> StrakeClient {
        let client = try lazyClient(
            to: endpoints, flagPrefix: flagPrefix, isPatient: isPatient, requiresLeader: requiresLeader)
        let timeout = arguments.duration("dial-timeout")
        try await call(failure: CommandFailure.badConnection) { () async throws(StrakeClientError) in
            try await client.authenticate(timeout: timeout)
        }
        return client
    }

    /// Connects, and gets its token, with the first call.
    ///
    /// - Parameters:
    ///   - endpoints: Nil: those of --endpoints.
    ///   - flagPrefix: Of the flags about certificates and users.
    ///   - isPatient: Wait without end, for commands that go on until they are stopped.
    ///   - adjust: Changes what the flags say.
    func lazyClient(
        to endpoints: [String]? = nil, flagPrefix: String = "", isPatient: Bool = false, requiresLeader: Bool = false,
        adjust: (inout StrakeClient.Options) -> Void = { _ in }
    ) throws(CommandFailure) -> StrakeClient {
        var options = StrakeClient.Options()
        options.dialTimeout = arguments.duration("dial-timeout")
        options.requestTimeout = isPatient ? nil : arguments.duration("command-timeout")
        // Until the time is over, as etcdctl does, which waits for a connection first.
        options.maxUnaryTries = .max
        options.keepAliveTime = max(.seconds(10), arguments.duration("keepalive-time"))
        options.keepAliveTimeout = arguments.duration("keepalive-timeout")
        options.requiresLeader = requiresLeader
        if let debug { options.trace = { debug.show($0) } }
        options.security = try security(flagPrefix)
        options.credentials = users.credentials(flagPrefix)
        adjust(&options)
        do throws(StrakeClientError) {
            return try StrakeClient(endpoints: endpoints ?? self.endpoints, options: options)
        } catch {
            throw CommandFailure(error.message, CommandFailure.badArguments)
        }
    }

    /// Nil when no flag asks for TLS.
    func security(_ prefix: String = "") throws(CommandFailure) -> StrakeClient.Security? {
        let file = { (name: String) -> String? in
            let path = arguments.text(prefix + name)
            return path.isEmpty ? nil : path
        }
        var security = StrakeClient.Security()
        security.trustedCAFile = file("cacert")
        (security.certificateFile, security.keyFile) = (file("cert"), file("key"))
        guard (security.certificateFile == nil) == (security.keyFile == nil) else {
            throw .arguments("--\(prefix)cert and --\(prefix)key go together")
        }
        if prefix.isEmpty { security.trustsAnybody = arguments.flag("insecure-skip-tls-verify") }
        let isAsked = security != StrakeClient.Security() || !arguments.flag(prefix + "insecure-transport")
        return isAsked || prefix.isEmpty && EndpointDiscovery.asksForTLS(arguments) ? security : nil
    }

    /// One call by a client that is made for it.
    func ask<Value: Sendable>(
        failure code: Int32 = CommandFailure.failed, prefix: String = "", suffix: String = "",
        _ body: (StrakeClient) async throws(StrakeClientError) -> Value
    ) async throws(CommandFailure) -> Value {
        let client = try await client()
        return try await call(failure: code, prefix: prefix, suffix: suffix) { () async throws(StrakeClientError) in
            try await body(client)
        }
    }

    /// One call, with its error as etcdctl puts it.
    func call<Value>(
        failure code: Int32 = CommandFailure.failed, prefix: String = "", suffix: String = "",
        _ body: () async throws(StrakeClientError) -> Value
    ) async throws(CommandFailure) -> Value {
        do throws(StrakeClientError) {
            return try await body()
        } catch {
            throw CommandFailure(prefix + error.goText + suffix, code)
        }
    }
}

extension StrakeClientError {
    /// As clientv3's errors print: etcd's own by their message, others as gRPC statuses.
    var goText: String {
        let isBare =
            message.hasPrefix("etcdserver:") || message == "context deadline exceeded"
            || message == "context canceled"
        return isBare ? message : statusText
    }

    /// As gRPC statuses print.
    private var statusText: String { "rpc error: code = \(codeName) desc = \(message)" }

    /// What ends a watch: one that is not permitted is refused by a text, which clientv3 takes apart no further.
    var watchEndText: String {
        switch code {
        case .permissionDenied, .unauthenticated, .invalidArgument: statusText
        default: goText
        }
    }

    private var codeName: String {
        switch code {
        case .cancelled: "Canceled"
        case .unknown: "Unknown"
        case .invalidArgument: "InvalidArgument"
        case .deadlineExceeded: "DeadlineExceeded"
        case .notFound: "NotFound"
        case .alreadyExists: "AlreadyExists"
        case .permissionDenied: "PermissionDenied"
        case .resourceExhausted: "ResourceExhausted"
        case .failedPrecondition: "FailedPrecondition"
        case .aborted: "Aborted"
        case .outOfRange: "OutOfRange"
        case .unimplemented: "Unimplemented"
        case .internal: "Internal"
        case .unavailable: "Unavailable"
        case .dataLoss: "DataLoss"
        case .unauthenticated: "Unauthenticated"
        }
    }
}
