internal import StrakeJWT
internal import StrakeModel
internal import StrakeStore
internal import Synchronization

/// Signed tokens that were looked at a short while ago, so that a client's next call does not cost a signature's check.
final class SignedTokens: Sendable {
    /// At the bound all are forgotten.
    private static let countMax = 1_024

    let scheme: JWT
    private let known = Mutex<[String: JWT.Claims]>([:])

    init(_ scheme: JWT) {
        self.scheme = scheme
    }

    /// Nil: the token is not good, or not any more.
    func identity(of token: String) -> RequestIdentity? {
        let now = WallClock.seconds
        let claims: JWT.Claims
        if let known = known.withLock({ $0[token] }) {
            if let expires = known.expires, expires <= Double(now) { return nil }
            claims = known
        } else {
            guard let found = scheme.claims(of: token, now: now) else { return nil }
            known.withLock { known in
                if known.count >= Self.countMax { known.removeAll() }
                known[token] = found
            }
            claims = found
        }
        return RequestIdentity(user: AuthName(claims.user), authRevision: claims.authRevision)
    }

    /// Nil when it cannot be signed.
    func token(for user: AuthName, authRevision: UInt64) -> String? {
        scheme.token(user: user.description, authRevision: authRevision, now: WallClock.seconds)
    }
}
