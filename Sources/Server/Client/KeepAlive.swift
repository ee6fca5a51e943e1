/// Renews a lease as long as it is held: a task that runs beside its holder, and tells it of each renewal.
///
/// A third of the time to live passes between two renewals. When a member is lost the next one is asked, until the lease
/// must be over. The sequence keeps the newest 16 renewals; iterating over it is not needed to keep the lease. It ends with
/// `isLeaseNotFound` when the lease has expired or was revoked, and without an error when the task was cancelled.
public final class KeepAlive: AsyncSequence, Sendable {
    public typealias Element = Answer<GrantedLease>
    public typealias Failure = StrakeClientError

    /// Renewals that wait to be taken; the oldest is dropped for a newer one.
    public static let pendingMax = 16
    /// A member that takes longer is left for another.
    private static let attemptTimeout = Duration.seconds(5)

    private let renewals: AsyncThrowingStream<Answer<GrantedLease>, any Error>
    private let task: Task<Void, Never>

    init(_ client: StrakeClient, _ id: LeaseID) {
        let (renewals, continuation) = AsyncThrowingStream.makeStream(
            of: Answer<GrantedLease>.self, bufferingPolicy: .bufferingNewest(Self.pendingMax))
        self.renewals = renewals
        task = Task {
            do throws(StrakeClientError) {
                try await KeepAlive.renew(id, client) { continuation.yield($0) }
            } catch {
                continuation.finish(throwing: error.isCancelled ? nil : error)
            }
        }
    }

    deinit { task.cancel() }

    /// Stops renewing; the lease lives on for what is left of it.
    public func cancel() { task.cancel() }

    public func makeAsyncIterator() -> Iterator { Iterator(owner: self, base: renewals.makeAsyncIterator()) }

    public struct Iterator: AsyncIteratorProtocol {
        public typealias Element = Answer<GrantedLease>
        public typealias Failure = StrakeClientError

        /// The lease is kept as long as somebody iterates.
        let owner: KeepAlive
        var base: AsyncThrowingStream<Answer<GrantedLease>, any Error>.Iterator

        /// Nil after `cancel()`.
        public mutating func next() async throws(StrakeClientError) -> Answer<GrantedLease>? {
            do {
                return try await base.next()
            } catch {
                throw error as? StrakeClientError ?? StrakeClientError(.unknown, "\(error)")
            }
        }
    }

    /// Never returns: it ends with an error.
    private static func renew(
        _ id: LeaseID, _ client: StrakeClient, _ renewed: (Answer<GrantedLease>) -> Void
    ) async throws(StrakeClientError) {
        var schedule = RenewalSchedule()
        let clock = ContinuousClock()
        let start = clock.now
        while true {
            do throws(StrakeClientError) {
                let answer = try await client.keepAliveOnce(id, timeout: attemptTimeout)
                schedule.renewed(ttlSeconds: answer.ttlSeconds, at: start.duration(to: clock.now))
                renewed(answer)
            } catch {
                if Task.isCancelled { throw .cancelled }
                try schedule.failed(error, at: start.duration(to: clock.now))
            }
            try? await Task.sleep(until: start + schedule.next, clock: clock)
            if Task.isCancelled { throw .cancelled }
        }
    }
}

extension StrakeClient {
    /// Begins to renew a lease. It goes on until the lease is over, `cancel()` is called, or the result is let go.
    public func keepAlive(_ id: LeaseID) -> KeepAlive { KeepAlive(self, id) }
}
