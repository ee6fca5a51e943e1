internal import StrakeModel
internal import Synchronization

/// Which tokens stand for which users, in this member's memory: random texts, of which only who was given one knows it.
/// Entries of the log hand them out, so every member knows them; how long each stays is the member's own affair.
final class SimpleTokens: Sendable {
    private struct Holder {
        var token: [UInt8]
        var user: AuthName
        /// Milliseconds, on the monotonic clock.
        var deadline: Int64
    }

    private struct State {
        /// By the entry that gave the token, which is no secret: so nothing is looked up by what is one.
        var holders: [UInt64: Holder] = [:]
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

    /// - Parameter index: Of the entry that gives the token.
    func add(_ token: String, _ index: UInt64, for user: AuthName, now: Int64) {
        let holder = Holder(token: Array(token.utf8), user: user, deadline: now + lifetime)
        state.withLock { state in
            if state.holders.count >= state.sweepAt { Self.sweep(&state, now: now) }
            state.holders[index] = holder
        }
    }

    /// Whose it is; the token is good for its whole time again. Nil: nobody's, or not any more.
    ///
    /// - Parameter index: Of the entry that the token names.
    func user(of token: String, _ index: UInt64, now: Int64) -> AuthName? {
        state.withLock { state in
            guard let holder = state.holders[index], Self.isSame(holder.token, token) else { return nil }
            guard holder.deadline > now else {
                state.holders[index] = nil
                return nil
            }
            state.holders[index]?.deadline = now + lifetime
            return holder.user
        }
    }

    /// Takes as long whatever the texts of one length are: how long a refusal took says nothing of the token.
    private static func isSame(_ known: [UInt8], _ token: String) -> Bool {
        guard known.count == token.utf8.count else { return false }
        return zip(known, token.utf8).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
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
