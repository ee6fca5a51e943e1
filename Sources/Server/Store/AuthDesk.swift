package import StrakeAuth
package import StrakeModel
internal import Synchronization

/// Users, roles and permissions as this member has applied them, for all threads that serve clients.
///
/// What a batch of entries changes is seen here before its events are: who reads what is there and then asks here is
/// refused what was forbidden before it was written.
package final class AuthDesk: Sendable {
    /// While nobody has enabled authentication a request costs this load and nothing else.
    private let enabled = Atomic(false)
    private let store = Mutex(AuthStore())
    private let tokens: SimpleTokens

    init(tokenMilliseconds: Int64) {
        tokens = SimpleTokens(milliseconds: tokenMilliseconds)
    }

    package var isEnabled: Bool { enabled.load(ordering: .acquiring) }

    package var current: AuthStore { store.withLock { $0 } }

    package var revision: UInt64 { store.withLock { $0.revision } }

    /// Tokens that entries have handed out and that nobody has lost since.
    package var tokenCount: Int { tokens.count }

    /// Whose token it is; nil: nobody's, or not any more.
    package func user(ofToken token: String) -> AuthName? {
        guard let index = Self.index(ofToken: token) else { return nil }
        return tokens.user(of: token, index, now: MonotonicClock.milliseconds)
    }

    /// The token that an entry gives.
    package static func token(prefix: String, index: UInt64) -> String { "\(prefix).\(index)" }

    /// The entry that has given the token, if it has the form of one: a member that has not applied that one yet cannot
    /// know the token.
    package static func index(ofToken token: String) -> UInt64? {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 2 ? UInt64(parts[1]) : nil
    }

    // MARK: Applying

    /// The whole state, from the file or from another member. Tokens that were handed out before may be void by now.
    func replace(with auth: AuthStore) {
        tokens.removeAll()
        show(auth)
    }

    /// Called for each command that was carried out, in order.
    func applied(_ command: AuthCommand, index: UInt64) {
        switch command {
        case .authenticate(let user, let prefix, _):
            guard !prefix.isEmpty else { return }
            let token = Self.token(prefix: prefix, index: index)
            tokens.add(token, index, for: user, now: MonotonicClock.milliseconds)
        case .disable: tokens.removeAll()
        case .userDelete(let user), .userChangePassword(let user, _): tokens.removeAll(of: user)
        case .enable, .userAdd, .userGrantRole, .userRevokeRole, .roleAdd, .roleDelete, .roleGrantPermission,
            .roleRevokePermission:
            break
        }
    }

    func show(_ auth: AuthStore) {
        store.withLock { $0 = auth }
        enabled.store(auth.isEnabled, ordering: .releasing)
    }
}
