internal import NIOCore
internal import StrakeModel
internal import StrakeReplication
internal import StrakeStore
internal import StrakeWatching

/// Everything that lives on one event loop: its connections and their watchers. Only the calls of `AnswerTarget` come
/// from elsewhere; all the rest stays on the loop, without locks.
final class LoopContext: AnswerTarget, @unchecked Sendable {
    let eventLoop: any EventLoop
    let service: Service
    /// The store's number for this target.
    private(set) var target: Int32 = 0
    private var sessions: [UInt32: Session] = [:]
    private var lastSession: UInt32 = 0
    /// Sessions with output to be written at the end of this turn.
    private var touched: [Session] = []
    let watches: WatchLoop
    let waiters = KeyWaiters()
    /// See `takeLoopback`.
    var idleLoopbacks: [Loopback] = []
    /// What the calls of this turn count.
    var tally = CallTally()
    private var leaderWatch: LeaderWatch?
    private var keepAliveWatch: KeepAliveWatch?
    /// Who waits for reads that are no session's, by call.
    private var probes: [UInt32: (StoreError?) -> Void] = [:]
    private var lastProbe: UInt32 = 0
    private static let catchUpPause = TimeAmount.milliseconds(200)
    /// Stands in tokens where no session has asked.
    private static let ownNumber: UInt32 = 0

    init(eventLoop: any EventLoop, service: Service) {
        self.eventLoop = eventLoop
        self.service = service
        watches = WatchLoop(service: service, eventLoop: eventLoop)
        target = service.store.register(self)
        leaderWatch = LeaderWatch(self)
        keepAliveWatch = KeepAliveWatch(self)
    }

    func offer(_ changes: PublishedEvents) -> Bool {
        let isWatched = watches.offer(changes)
        return isWatched || waiters.wants(changes)
    }

    func offerSkip(through revision: Int64) -> Bool {
        let isWatched = watches.offerSkip(through: revision)
        return isWatched || waiters.isWaiting
    }

    func take(_ batch: AnswerBatch) {
        eventLoop.execute { self.process(batch) }
    }

    // MARK: On the loop

    func add(_ session: Session) -> UInt32 {
        repeat { lastSession &+= 1 } while sessions[lastSession] != nil || lastSession == Self.ownNumber
        sessions[lastSession] = session
        return lastSession
    }

    func remove(_ number: UInt32) {
        sessions[number] = nil
    }

    var sessionCount: Int { sessions.count }

    /// The session's output is written when this turn ends.
    func touch(_ session: Session) {
        if session.isTouched { return }
        session.isTouched = true
        touched.append(session)
    }

    /// Writes what this turn has produced.
    func flush() {
        while let session = touched.popLast() {
            session.isTouched = false
            session.writeOutput()
        }
        recordCalls()
    }

    /// Tries a linearizable read, for its own sake. Answered on the loop, with what it failed of.
    func read(_ done: @escaping (StoreError?) -> Void) {
        lastProbe &+= 1
        let token = Self.token(session: Self.ownNumber, call: lastProbe)
        if service.store.read(RequestOrigin(target: target, token: token)) {
            done(nil)
        } else {
            probes[lastProbe] = done
        }
    }

    /// Tries until this member has once been where the cluster is.
    func catchUp() {
        if service.isCaughtUp { return }
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        read { failure in
            if failure == nil {
                bound.value.service.isCaughtUp = true
            } else {
                bound.value.eventLoop.scheduleTask(in: Self.catchUpPause) { bound.value.catchUp() }
            }
        }
    }

    func recordCalls() {
        guard !tally.isEmpty else { return }
        tally.flush(
            into: service.metrics, now: MonotonicClock.nanoseconds, slow: service.slowRequestNanoseconds,
            report: service.options.onSlowRequest)
    }

    /// For graceful shutdown.
    func forEachSession(_ body: (Session) -> Void) {
        for session in Array(sessions.values) { body(session) }
    }

    private func process(_ batch: AnswerBatch) {
        for answer in batch.answers {
            let (number, call) = Self.split(answer.token)
            sessions[number]?.answered(call, answer)
        }
        for (token, error) in batch.failures {
            let (number, call) = Self.split(token)
            if number == Self.ownNumber { probes.removeValue(forKey: call)?(error) }
            sessions[number]?.failed(call, error)
        }
        for token in batch.readsReady {
            let (number, call) = Self.split(token)
            if number == Self.ownNumber { probes.removeValue(forKey: call)?(nil) }
            sessions[number]?.readIsReady(call)
        }
        // The batch may be there for one of the two only.
        if batch.published != nil || batch.skippedThrough != nil { watches.takeChanges() }
        if batch.skippedThrough != nil { waiters.skip() }
        if let published = batch.published { waiters.publish(published) }
        flush()
    }

    /// A token names a session and a call of it.
    static func token(session: UInt32, call: UInt32) -> UInt64 { UInt64(session) << 32 | UInt64(call) }

    private static func split(_ token: UInt64) -> (session: UInt32, call: UInt32) {
        (UInt32(truncatingIfNeeded: token >> 32), UInt32(truncatingIfNeeded: token))
    }
}
