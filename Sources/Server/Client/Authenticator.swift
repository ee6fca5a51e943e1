internal import NIOCore
internal import StrakeEtcdWire
internal import StrakeHTTP2
internal import Synchronization

/// Gets tokens for the client's user. One is asked for at a time, and serves all calls until a member refuses it.
final class Authenticator: Sendable {
    /// What a call is made with.
    struct Ticket: Sendable {
        fileprivate let number: UInt64
        /// The token; nothing where the cluster has authentication disabled.
        let fields: [HeaderField]
    }

    typealias Outcome = Result<Ticket, StrakeClientError>

    /// How often one call is made again because of its ticket. A token may be refused anew each time that users or roles
    /// are changed, but one that is refused over and over is no good.
    static let renewalsMax = 5
    /// Longer than a member takes to give up.
    private static let answerTime = TimeAmount.seconds(15)

    private struct State {
        var ticket: Ticket?
        var lastTicket: UInt64 = 0
        var isAsking = false
        var waiters: [UInt64: CheckedContinuation<Outcome, Never>] = [:]
        var lastWaiter: UInt64 = 0
    }

    private let message: [UInt8]
    private let pool: ConnectionPool
    private let metadata: [HeaderField]
    private let retries: RetryPolicy
    private let state = Mutex(State())

    init(
        _ credentials: StrakeClient.Credentials, _ pool: ConnectionPool, metadata: [HeaderField], _ retries: RetryPolicy
    ) {
        message =
            AuthPasswordRequest(name: AuthName(credentials.user), password: Array(credentials.password.utf8)).encoded()
        self.pool = pool
        self.metadata = metadata
        self.retries = retries
    }

    /// The ticket that there is, or else the next one.
    func ticket(until deadline: NIODeadline?) async -> Outcome {
        let (found, id) = state.withLock { state in
            state.lastWaiter += 1
            return (state.ticket, state.lastWaiter)
        }
        if let found { return .success(found) }
        let timer = deadline.map { deadline in
            pool.connector.group.next().scheduleTask(deadline: deadline) { self.dismiss(id, .deadlineExceeded) }
        }
        defer { timer?.cancel() }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                wait(id, continuation)
                if Task.isCancelled { dismiss(id, .cancelled) }
                if let deadline, deadline <= NIODeadline.now() { dismiss(id, .deadlineExceeded) }
            }
        } onCancel: {
            dismiss(id, .cancelled)
        }
    }

    /// The next call gets another ticket.
    ///
    /// - Parameter refused: The ticket that a member has refused: one that is newer stays. Nil: whichever there is goes.
    func retire(_ refused: Ticket? = nil) {
        state.withLock { state in
            if refused == nil || state.ticket?.number == refused?.number { state.ticket = nil }
        }
    }

    private func wait(_ id: UInt64, _ continuation: CheckedContinuation<Outcome, Never>) {
        let (found, begins) = state.withLock { state -> (Ticket?, Bool) in
            if let ticket = state.ticket { return (ticket, false) }
            state.waiters[id] = continuation
            let begins = !state.isAsking
            state.isAsking = true
            return (nil, begins)
        }
        if let found { continuation.resume(returning: .success(found)) }
        // On its own: it serves others too when whoever began it is cancelled.
        if begins { Task { self.asked(await self.ask()) } }
    }

    private func dismiss(_ id: UInt64, _ error: StrakeClientError) {
        state.withLock { $0.waiters.removeValue(forKey: id) }?.resume(returning: .failure(error))
    }

    private func asked(_ outcome: Result<[HeaderField], StrakeClientError>) {
        let (waiters, answer) = state.withLock { state -> ([CheckedContinuation<Outcome, Never>], Outcome) in
            state.isAsking = false
            let waiters = Array(state.waiters.values)
            state.waiters = [:]
            switch outcome {
            case .success(let fields):
                state.lastTicket += 1
                let ticket = Ticket(number: state.lastTicket, fields: fields)
                state.ticket = ticket
                return (waiters, .success(ticket))
            case .failure(let error): return (waiters, .failure(error))
            }
        }
        for waiter in waiters { waiter.resume(returning: answer) }
    }

    /// In as many tries as a read has.
    private func ask() async -> Result<[HeaderField], StrakeClientError> {
        let deadline = NIODeadline.now() + Self.answerTime
        var triesMade = 0
        while true {
            var error: StrakeClientError
            do throws(StrakeClientError) {
                return .success([HeaderField("token", try await token(until: deadline), isSensitive: true)])
            } catch let failure {
                error = failure
            }
            if error.message == EtcdError.authNotEnabled.rawValue { return .success([]) }
            triesMade += 1
            let decision = retries.decide(
                after: error, isRepeatable: true, triesMade: triesMade, jitter: Double.random(in: -1...1))
            // It was not the call itself that was sent.
            error.wasSent = false
            guard case .retry(let milliseconds) = decision, NIODeadline.now() < deadline else {
                if error.code == .deadlineExceeded { error.code = .unavailable }
                return .failure(error)
            }
            if milliseconds > 0 { try? await Task.sleep(for: .milliseconds(milliseconds)) }
        }
    }

    private func token(until deadline: NIODeadline) async throws(StrakeClientError) -> String {
        let connection = try await pool.connection(until: deadline).get()
        let bytes = try await connection.unary(.authenticate, message, metadata: metadata, deadline: deadline).get()
        return try StrakeClient.decode(bytes, as: AuthenticateResponse.self).token
    }
}

extension StrakeClientError {
    /// The user's token is no longer good, or there was none: clientv3's reasons to get another. Nothing was done.
    var isOfTicket: Bool {
        message == EtcdError.invalidAuthToken.rawValue || message == EtcdError.authRevisionOld.rawValue
            || message == EtcdError.userEmpty.rawValue
    }
}
