internal import CBcrypt

/// Password hashes as etcd keeps them: bcrypt, with the mark `$2a$`.
///
/// Slow on purpose: some 50 ms of a core at the default cost. Not for an event loop.
package enum Bcrypt {
    package static let costs = 4...31
    package static let costDefault = 10
    /// bcrypt takes no more of a password into account.
    package static let passwordBytesMax = 72

    private static let hashBytes = Int(STRAKE_BCRYPT_BYTES) - 1

    /// - Returns: Nil for a password that cannot be hashed: too long, or with a zero byte.
    package static func hash(_ password: [UInt8], cost: Int) -> [UInt8]? {
        guard password.count <= passwordBytesMax else { return nil }
        var setting = [CChar](repeating: 0, count: Int(STRAKE_BCRYPT_SETTING_BYTES))
        guard strake_bcrypt_setting(Int32(cost), &setting) == 0 else {
            preconditionFailure("a bcrypt cost of \(cost)")
        }
        guard var hash = hash(password, setting: setting) else { return nil }
        // The letter etcd's library writes. Both stand for the same function.
        hash[2] = UInt8(ascii: "a")
        return hash
    }

    package static func matches(_ password: [UInt8], _ hash: [UInt8]) -> Bool {
        guard hash.count == hashBytes, hash.starts(with: "$2".utf8), hash[3] == UInt8(ascii: "$"),
            "abxy".utf8.contains(hash[2])
        else { return false }
        var setting = hash.prefix(Int(STRAKE_BCRYPT_SETTING_BYTES) - 1).map { CChar(bitPattern: $0) } + [0]
        // libxcrypt's `a` differs from other libraries' for passwords with certain bytes above 0x7F; its `b` does not.
        setting[2] = CChar(UInt8(ascii: "b"))
        guard let found = Self.hash(password, setting: setting) else { return false }
        return isEqual(found[4...], hash[4...])
    }

    /// A text that ends with a zero would be taken for the one before the zero.
    private static func hash(_ password: [UInt8], setting: [CChar]) -> [UInt8]? {
        guard !password.contains(0) else { return nil }
        let phrase = password.map { CChar(bitPattern: $0) } + [0]
        var out = [CChar](repeating: 0, count: Int(STRAKE_BCRYPT_BYTES))
        guard strake_bcrypt(phrase, setting, &out) == 0 else { return nil }
        return out.dropLast().map { UInt8(bitPattern: $0) }
    }

    /// Takes the same time wherever they differ.
    static func isEqual(_ left: some Collection<UInt8>, _ right: some Collection<UInt8>) -> Bool {
        guard left.count == right.count else { return false }
        return zip(left, right).reduce(0 as UInt8) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
