internal import StrakeRaft
internal import StrakeStateMachine
internal import Synchronization

/// What this member's state came to lately and, on a leader, what the others say of theirs.
final class DigestDesk: Sendable {
    /// Ticks from one comparison to the next, unless the options say another number.
    static let ticksBetweenDefault = 10

    private let ticksBetween: Int

    private struct State {
        var own: [StateDigest] = []
        /// Looked up and merged by member; the order counts nowhere.
        var others: [MemberID: [StateDigest]] = [:]
        var asked: Set<MemberID> = []
        var ticksLeft: Int
        var hasNews = false
        /// The operator knows that members differ and nobody can tell who is right.
        var saidOpen = false
        var lastAgreement: Int64?
    }

    private let state: Mutex<State>

    init(ticksBetween: Int) {
        self.ticksBetween = ticksBetween
        state = Mutex(State(ticksLeft: ticksBetween))
    }

    /// For members that ask: the transport's threads must not wait for the apply role.
    var own: [StateDigest] { state.withLock { $0.own } }

    /// - Returns: It is time for a comparison.
    func tick() -> Bool {
        state.withLock { state in
            state.ticksLeft -= 1
            return state.ticksLeft <= 0
        }
    }

    /// Begins a comparison.
    ///
    /// - Parameter members: The others; what was known of anybody else is forgotten. Empty on a follower.
    /// - Returns: Whom to ask: each is asked again once it has answered, or could not.
    func begin(_ own: [StateDigest], members: [MemberID]) -> [MemberID] {
        state.withLock { state in
            state.ticksLeft = ticksBetween
            state.own = own
            state.others = state.others.filter { members.contains($0.key) }
            let due = members.filter { !state.asked.contains($0) }
            state.asked.formUnion(due)
            return due
        }
    }

    /// - Parameter digests: `nil`: no answer in time.
    func answered(_ member: MemberID, _ digests: [StateDigest]?) {
        state.withLock { state in
            state.asked.remove(member)
            guard let digests else { return }
            state.others[member] = digests
            state.hasNews = true
        }
    }

    /// All that is known of the others, when something of it is new.
    func takeNews() -> [MemberID: [StateDigest]]? {
        state.withLock { state in
            guard state.hasNews else { return nil }
            state.hasNews = false
            return state.others
        }
    }

    /// Members' states agree.
    ///
    /// - Returns: The operator is to be told, for the first time in the interval.
    func noteAgreement(now: Int64, interval: Int) -> Bool {
        state.withLock { state in
            if let last = state.lastAgreement, now - last < Int64(interval) { return false }
            state.lastAgreement = now
            return true
        }
    }

    /// - Returns: The operator is to be told.
    func note(isOpen: Bool) -> Bool {
        state.withLock { state in
            defer { state.saidOpen = isOpen }
            return isOpen && !state.saidOpen
        }
    }
}
