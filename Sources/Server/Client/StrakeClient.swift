internal import NIOCore
internal import StrakeEtcdWire
internal import StrakeHTTP2
internal import Synchronization

/// A client of a Strake or etcd cluster.
///
/// It connects to all endpoints, gives each of them a call in turn, and goes on with the others when one is lost. Reads
/// that meet a member that is unavailable are made again; writes only if no member can have seen them. Calls of any number
/// of tasks share the connections, and what is called at the same time is sent in one write.
///
/// The type and what belongs to it are found under its name (`StrakeClient.Options`), since module and type share it; the
/// types of keys, requests and events are `StrakeModel`'s and come with the import.
///
/// All methods throw `StrakeClientError`. A task that is cancelled gets `cancelled`; a write under way may still happen.
public final class StrakeClient: Sendable {
    let pool: ConnectionPool
    private let metadata: CallMetadata
    private let authenticator: Authenticator?
    private let retries: RetryPolicy
    let requestTimeout: TimeAmount?
    private let maxSendBytes: Int

    /// Makes no connection yet: the first call does.
    ///
    /// - Parameters:
    ///   - endpoints: `host:port`, `http://host:port` or `unix://path` each, or `https` and `unixs` with TLS; at least one.
    ///     `host:port` alone is protected where `Options.security` is given.
    ///   - options: How it connects, waits and tries again, and for whom.
    /// - Throws: `invalidArgument` for an endpoint that is none of these, or a file that cannot be used.
    public init(endpoints: [String], options: Options = Options()) throws(StrakeClientError) {
        guard !endpoints.isEmpty else { throw StrakeClientError(.invalidArgument, "endpoints: at least one is needed") }
        var addresses: [Address] = []
        for endpoint in endpoints { addresses.append(try Address(endpoint)) }
        let connector = try Connector(options, for: addresses)
        pool = ConnectionPool(addresses, connector)
        metadata = CallMetadata(requiresLeader: options.requiresLeader)
        retries = RetryPolicy(
            triesMax: max(options.maxUnaryTries, 1), quorum: addresses.count / 2 + 1,
            pauseMilliseconds: TimeAmount(options.backoffWaitBetween).nanoseconds / 1_000_000)
        authenticator = options.credentials.map { [pool, metadata, retries] in
            Authenticator($0, pool, metadata: metadata.fields, retries)
        }
        requestTimeout = options.requestTimeout.map { TimeAmount($0) }
        maxSendBytes = options.maxCallSendBytes
    }

    deinit { pool.close() }

    /// The endpoints, as they were given.
    public var endpoints: [String] { pool.addresses.map(\.text) }

    /// Closes all connections. Calls that are under way fail, streams end, and no others begin. A second call does nothing.
    public func close() { pool.close() }

    /// Runs until its task is cancelled, then closes the client: for those who keep a service's parts in a task group, or
    /// under ServiceLifecycle, whose `Service` asks for exactly this. Calls need not wait for it.
    public func run() async {
        let (stream, continuation) = AsyncStream.makeStream(of: Never.self)
        defer { continuation.finish() }
        for await _ in stream {}
        close()
    }

    // MARK: - Calls

    /// Whether a call's time is bounded by the client's.
    enum Patience {
        case requestTimeout
        /// It waits on purpose.
        case unlimited
    }

    func call<Body: ReadableResponse>(
        _ method: Method, _ request: some WireMessage, as type: Body.Type, isRepeatable: Bool,
        patience: Patience = .requestTimeout
    ) async throws(StrakeClientError) -> Answer<Body> {
        let bytes = try await call(method, request, isRepeatable: isRepeatable, patience: patience)
        return try Self.decode(bytes, as: type)
    }

    /// A call in as many tries as the policy allows.
    func call(
        _ method: Method, _ request: some WireMessage, isRepeatable: Bool, patience: Patience = .requestTimeout
    ) async throws(StrakeClientError) -> [UInt8] {
        let message = try encode(request)
        let deadline = patience == .requestTimeout ? requestDeadline : nil
        var (triesMade, renewals) = (0, 0)
        while true {
            let admission = try await admission(until: deadline)
            var error: StrakeClientError
            switch await pool.connection(until: deadline) {
            case .success(let connection):
                switch await connection.unary(method, message, metadata: admission.metadata, deadline: deadline) {
                case .success(let bytes): return bytes
                case .failure(let failure): error = failure
                }
            case .failure(let failure): error = failure
            }
            if renews(admission.ticket, after: error, &renewals) { continue }
            triesMade += 1
            try await pause(after: error, isRepeatable: isRepeatable, triesMade: triesMade)
            if let deadline, deadline <= NIODeadline.now() {
                (error.code, error.message) = (.deadlineExceeded, StrakeClientError.deadlineExceeded.message)
                throw error
            }
        }
    }

    /// Returns when the call is to be made again.
    func pause(
        after error: StrakeClientError, isRepeatable: Bool, triesMade: Int
    ) async throws(StrakeClientError) {
        let decision = retries.decide(
            after: error, isRepeatable: isRepeatable, triesMade: triesMade, jitter: Double.random(in: -1...1))
        guard case .retry(let milliseconds) = decision else { throw error }
        if milliseconds > 0 { try? await Task.sleep(for: .milliseconds(milliseconds)) }
        if Task.isCancelled { throw .cancelled }
    }

    /// A call to one member, on a connection of its own, in one try.
    func call<Body: ReadableResponse>(
        _ method: Method, _ request: some WireMessage, as type: Body.Type, at endpoint: String
    ) async throws(StrakeClientError) -> Answer<Body> {
        let message = try encode(request)
        let connection = try await pool.dial(try Address(endpoint)).get()
        defer { connection.close() }
        let deadline = requestDeadline
        var renewals = 0
        while true {
            let admission = try await admission(until: deadline)
            switch await connection.unary(method, message, metadata: admission.metadata, deadline: deadline) {
            case .success(let bytes): return try Self.decode(bytes, as: type)
            case .failure(let error): if !renews(admission.ticket, after: error, &renewals) { throw error }
            }
        }
    }

    /// Opens a stream at the endpoint that is next in turn.
    func open(
        _ method: Method, _ request: some WireMessage, token: Token = .any, deadline: NIODeadline? = nil
    ) async throws(StrakeClientError) -> StreamCall {
        let message = try encode(request)
        if token == .new { authenticator?.retire() }
        let admission = try await admission(until: deadline)
        let connection = try await pool.connection(until: deadline).get()
        return StreamCall(method, message, admission, deadline: deadline, on: connection)
    }

    var requestDeadline: NIODeadline? { requestTimeout.map { NIODeadline.now() + $0 } }

    // MARK: - Tokens

    enum Token {
        case any
        /// For streams that are not opened again: an old token might be refused.
        case new
    }

    /// What a call says beside its request, and for whom.
    struct Admission: Sendable {
        var metadata: [HeaderField]
        var ticket: Authenticator.Ticket?
    }

    /// Waits for a token, if there is a user and none for him yet.
    func admission(until deadline: NIODeadline?) async throws(StrakeClientError) -> Admission {
        guard let authenticator else { return Admission(metadata: metadata.fields) }
        let ticket = try await authenticator.ticket(until: deadline).get()
        return Admission(metadata: metadata.fields + ticket.fields, ticket: ticket)
    }

    /// Whether a call is to be made again with another token, as clientv3 does: it was refused because of its own.
    ///
    /// - Parameter renewals: Counted up, to a bound.
    func renews(_ ticket: Authenticator.Ticket?, after error: StrakeClientError, _ renewals: inout Int) -> Bool {
        guard error.isOfTicket, renewals < Authenticator.renewalsMax, let ticket, let authenticator else {
            return false
        }
        renewals += 1
        authenticator.retire(ticket)
        return true
    }

    private func encode(_ request: some WireMessage) throws(StrakeClientError) -> [UInt8] {
        let message = request.encoded()
        guard message.count <= maxSendBytes else {
            // The words of Go's gRPC, which etcd's users know.
            throw StrakeClientError(
                .resourceExhausted, "trying to send message larger than max (\(message.count) vs. \(maxSendBytes))")
        }
        return message
    }

    static func decode<Body: ReadableResponse>(
        _ bytes: [UInt8], as type: Body.Type
    ) throws(StrakeClientError) -> Answer<Body> {
        do {
            let response = try bytes.withUnsafeBytes { try Body.response(protobuf: $0) }
            return Answer(header: Header(response.header), body: response.body)
        } catch {
            throw StrakeClientError(.internal, "the answer is no \(type): \(error)", wasSent: true)
        }
    }
}
