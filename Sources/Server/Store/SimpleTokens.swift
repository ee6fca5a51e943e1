internal import StrakeModel
internal import Synchronization

/// Which tokens stand for which users, in this member's memory: random texts, of which only who was given one knows it.
/// Entries of the log hand them out, so every member knows them; how long each stays is the member's own affair.
final class SimpleTokens: Sendable {
    private struct Holder {
        var user: AuthName
        /// Milliseconds, on the monotonic clock.
        var deadline: Int64
    }

    private struct State {
        var holders: [String: Holder] = [:]
        /// At so many the expired ones are looked for, so that looking costs each new one a constant.
        var sweepAt = sweepMin
    }

    private static let sweepMin = 1_024
    /// At the bound the half that was not used for longest goes: who had one of those has to authenticate again.
    static let countMax = 1 << 17

    private let lifetime: Int64
    private let state = Mutex(State())

    /// - Parameter milliseconds: How long a token is good after it was last used.
    init(milliseconds: Int64) {
        lifetime = milliseconds
    }

    var count: Int { state.withLock { $0.holders.count } }

    func add(_ token: String, for user: AuthName, now: Int64) {
        state.withLock { state in
            if state.holders.count >= state.sweepAt { Self.sweep(&state, now: now) }
            state.holders[token] = Holder(user: user, deadline: now + lifetime)
        }
    }

    /// Whose it is; the token is good for its whole time again. Nil: nobody's, or not any more.
    func user(of token: String, now: Int64) -> AuthName? {
        state.withLock { state in
            guard let holder = state.holders[token] else { return nil }
            guard holder.deadline > now else {
                state.holders[token] = nil
                return nil
            }
            state.holders[token]?.deadline = now + lifetime
            return holder.user
        }
    }

    func removeAll() { state.withLock { $0 = State() } }

    func removeAll(of user: AuthName) {
        state.withLock { state in state.holders = state.holders.filter { $0.value.user != user } }
    }

    private static func sweep(_ state: inout State, now: Int64) {
        state.holders = state.holders.filter { $0.value.deadline > now }
        if state.holders.count >= countMax {
            let deadlines = state.holders.values.map(\.deadline).sorted()
            let middle = deadlines[deadlines.count / 2]
            state.holders = state.holders.filter { $0.value.deadline > middle }
        }
        state.sweepAt = min(max(sweepMin, state.holders.count * 2), countMax)
    }
}
