internal import StrakeChecksum
internal import Synchronization

/// Passwords that were right a short while ago, so that a client which authenticates again and again does not cost bcrypt's
/// time each time.
///
/// Kept is neither the password nor a hash that another process could use: a SHA-256 keyed with bytes that exist in this
/// process only, beside the bcrypt hash that it was right for. A changed password has another hash, so it is never taken for
/// the old one; a wrong password is never kept, so guessing costs bcrypt's time each time.
package final class VerifiedPasswords: Sendable {
    private struct Entry {
        var mark: [UInt8]
        /// Milliseconds.
        var deadline: Int64
    }

    /// At the bound all are forgotten.
    private static let countMax = 1_024
    /// What is in memory of a password does not outlive it for longer, in milliseconds.
    private static let lifetime: Int64 = 60_000

    private let key: [UInt8]
    /// By bcrypt hash.
    private let entries = Mutex<[[UInt8]: Entry]>([:])

    package init() {
        var random = SystemRandomNumberGenerator()
        key = (0..<32).map { _ in .random(in: 0...255, using: &random) }
    }

    /// - Parameter now: Milliseconds of a clock that does not go back.
    package func contains(_ password: [UInt8], for hash: [UInt8], now: Int64) -> Bool {
        // What can be right is short, and a long one is work for whoever asks on behalf of somebody he does not know.
        guard password.count <= Bcrypt.passwordBytesMax else { return false }
        guard let entry = entries.withLock({ $0[hash] }), entry.deadline > now else { return false }
        return Bcrypt.isEqual(entry.mark, mark(of: password, for: hash))
    }

    package func insert(_ password: [UInt8], for hash: [UInt8], now: Int64) {
        guard password.count <= Bcrypt.passwordBytesMax else { return }
        let entry = Entry(mark: mark(of: password, for: hash), deadline: now + Self.lifetime)
        entries.withLock { entries in
            if entries.count >= Self.countMax { entries.removeAll() }
            entries[hash] = entry
        }
    }

    /// Drops what is too old. To be called now and then.
    package func sweep(now: Int64) {
        entries.withLock { entries in entries = entries.filter { $0.value.deadline > now } }
    }

    /// HMAC (RFC 2104) with SHA-256. The key is shorter than a block.
    private func mark(of password: [UInt8], for hash: [UInt8]) -> [UInt8] {
        let block = key + [UInt8](repeating: 0, count: 64 - key.count)
        var inner = SHA256()
        inner.add(block.map { $0 ^ 0x36 })
        // The hash has one length, so the two cannot be cut in another way.
        inner.add(hash)
        inner.add(password)
        var outer = SHA256()
        outer.add(block.map { $0 ^ 0x5c })
        outer.add(inner.value)
        return outer.value
    }
}
