internal import StrakeLeases
internal import StrakeModel
internal import StrakeReplication
internal import StrakeStateMachine
internal import Synchronization

/// A leader's answers to what the members ask it, this one included. Leadership is proven, by a read index or by the log,
/// before anything is answered.
final class LeaderDesk: AnswerTarget {
    typealias Reply = @Sendable (PeerAnswer) -> Void

    private enum Work {
        case keepAlive(LeaseID)
        case timeToLive(LeaseID)
        /// A lease whose renewal goes through the log.
        case renewal(LeaseRenewal)
        case change
    }

    private struct Change {
        var change: MembershipChange
        /// Milliseconds.
        var deadline: Int64
        var reply: Reply
        /// It is in the log.
        var isProposed = false
    }

    private struct State {
        var target: Int32 = 0
        var lastToken: UInt64 = 0
        /// By token; looked up, never walked.
        var works: [UInt64: (work: Work, reply: Reply)] = [:]
        /// One is made at a time: each is checked against what the one before it has made.
        var changes: [Change] = []
        /// Learners that take somebody's place, and until when that is to be expected, in milliseconds.
        var reserved: [UInt64: Int64] = [:]

        mutating func reserve(for change: MembershipChange) {
            let now = MonotonicClock.milliseconds
            reserved = reserved.filter { $0.value > now }
            switch change {
            case .addReplacement(let id, _, _), .replace(_, let id): reserved[id] = now + reservationMilliseconds
            case .add, .remove, .update, .promote: break
            }
        }
    }

    /// Who replaces a member asks again within this time whether it can be done.
    private static let reservationMilliseconds: Int64 = 10_000

    /// The learner is to take somebody's place, and not to be promoted beside it.
    func isReserved(_ learner: UInt64) -> Bool {
        let now = MonotonicClock.milliseconds
        return state.withLock { ($0.reserved[learner] ?? 0) > now }
    }

    private let state = Mutex(State())

    func setTarget(_ target: Int32) {
        state.withLock { $0.target = target }
    }

    private func add(_ work: Work, _ reply: @escaping Reply) -> RequestOrigin {
        state.withLock { state in
            state.lastToken += 1
            state.works[state.lastToken] = (work, reply)
            return RequestOrigin(target: state.target, token: state.lastToken)
        }
    }

    // MARK: Requests

    func serve(_ request: PeerRequest, by store: Store, deadline: Int64, reply: @escaping Reply) {
        switch request {
        case .ping: reply(.pong)
        case .digests: reply(.digests(store.digestDesk.own))
        case .removal(let member, let index):
            reply(store.knowsRemoval(of: member, since: index) ? .changed(index: index) : .refused(.memberExists))
        case .keepAlive(let lease): prove(.keepAlive(lease), by: store, reply)
        case .timeToLive(let lease): prove(.timeToLive(lease), by: store, reply)
        case .change(let change):
            guard store.isLeader else { return reply(.refused(.notLeader)) }
            state.withLock { state in
                state.changes.append(Change(change: change, deadline: deadline, reply: reply))
                state.reserve(for: change)
            }
            advance(store)
        case .progress(let member):
            guard store.isLeader else { return reply(.refused(.notLeader)) }
            reply(store.logProgress(of: member).map(PeerAnswer.progress) ?? .refused(.memberNotFound))
        }
    }

    private func prove(_ work: Work, by store: Store, _ reply: @escaping Reply) {
        guard store.isLeader else { return reply(.refused(.notLeader)) }
        let origin = add(work, reply)
        if store.read(origin) { perform(origin.token, store) }
    }

    private func perform(_ token: UInt64, _ store: Store) {
        guard let (work, reply) = state.withLock({ $0.works.removeValue(forKey: token) }) else { return }
        switch work {
        case .keepAlive(let lease):
            let (answers, term) = store.keepAlive([lease])
            switch answers[0] {
            case .renewed(let ttl): reply(.keptAlive(ttlSeconds: ttl))
            case .unknown: reply(.keptAlive(ttlSeconds: 0))
            case .notLeading: reply(.refused(.notLeader))
            case .renewing(let renewal):
                store.propose(renewal, leadingIn: term, add(.renewal(renewal), reply))
            }
        case .timeToLive(let lease):
            guard store.ttl(of: lease) != nil else { return reply(.timeLeft(milliseconds: nil)) }
            if let left = store.remaining(of: lease) {
                reply(.timeLeft(milliseconds: left))
            } else {
                // Between two of the leadership's steps the clock is not there.
                reply(.refused(.notLeader))
            }
        case .renewal, .change: preconditionFailure("a read of nothing")
        }
    }

    // MARK: Answers

    /// Set once, when the store is there.
    private let store = Mutex<WeakStore>(WeakStore())

    private struct WeakStore: Sendable {
        weak var store: Store?
    }

    func attach(_ store: Store) {
        self.store.withLock { $0.store = store }
    }

    func take(_ batch: AnswerBatch) {
        guard let store = store.withLock({ $0.store }) else { return }
        for answer in batch.answers { answered(answer, store) }
        for token in batch.readsReady { perform(token, store) }
        for (token, error) in batch.failures { failed(token, error, store) }
    }

    private func answered(_ answer: Answer, _ store: Store) {
        guard let (work, reply) = state.withLock({ $0.works.removeValue(forKey: answer.token) }) else { return }
        switch work {
        case .renewal(let renewal):
            store.renewalCommitted(renewal)
            reply(.keptAlive(ttlSeconds: renewal.ttl))
        case .change: finishChange(.changed(index: answer.index), store)
        case .keepAlive, .timeToLive: preconditionFailure("an entry of nothing")
        }
    }

    private func failed(_ token: UInt64, _ error: StoreError, _ store: Store) {
        guard let (work, reply) = state.withLock({ $0.works.removeValue(forKey: token) }) else { return }
        switch work {
        case .keepAlive, .timeToLive, .renewal: reply(.refused(error))
        case .change where error == .tooManyRequests:
            // An earlier change is still under way: tried again with the next tick.
            state.withLock { state in
                if !state.changes.isEmpty { state.changes[0].isProposed = false }
            }
        case .change: finishChange(.refused(error), store)
        }
    }

    // MARK: Members

    private func finishChange(_ answer: PeerAnswer, _ store: Store) {
        let done = state.withLock { $0.changes.isEmpty ? nil : $0.changes.removeFirst() }
        if let done { end(done, answer, store) }
        advance(store)
    }

    private func end(_ change: Change, _ answer: PeerAnswer, _ store: Store) {
        store.gauges.record(change.change, answer)
        change.reply(answer)
    }

    /// Checks and proposes the first change that waits.
    func advance(_ store: Store) {
        while true {
            let change: MembershipChange? = state.withLock { state in
                guard let first = state.changes.first, !first.isProposed else { return nil }
                state.changes[0].isProposed = true
                return first.change
            }
            guard let change else { return }
            let origin = add(.change) { _ in }
            switch store.proposeMembers(change, origin) {
            case .proposed: return
            case .later:
                state.withLock { state in
                    state.works[origin.token] = nil
                    if !state.changes.isEmpty { state.changes[0].isProposed = false }
                }
                return
            case .refused(let error):
                let done = state.withLock { state in
                    state.works[origin.token] = nil
                    return state.changes.isEmpty ? nil : state.changes.removeFirst()
                }
                if let done { end(done, .refused(error), store) }
            }
        }
    }

    func tick(now: Int64, _ store: Store) {
        let expired = state.withLock { state in
            let expired = state.changes.filter { !$0.isProposed && $0.deadline <= now }
            state.changes.removeAll { !$0.isProposed && $0.deadline <= now }
            return expired
        }
        for change in expired { end(change, .refused(.timeout), store) }
        advance(store)
    }
}
