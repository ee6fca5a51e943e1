internal import StrakeCredentials
internal import StrakeJSON

/// Signed tokens (RFC 7519): who has one needs no member to remember it.
package struct JWT: Sendable {
    /// What a good token says.
    package struct Claims: Hashable, Sendable {
        package var user: String
        package var authRevision: UInt64
        /// Seconds since 1970; nil: it is good for ever.
        package var expires: Double?
    }

    /// Longer ones are refused unread.
    private static let tokenBytesMax = 16 << 10

    private let algorithm: JWTAlgorithm
    private let key: JWTKey
    /// Seconds that a new token is good for.
    private let lifetime: Int

    package init(
        _ algorithm: JWTAlgorithm, publicKey: [UInt8]?, privateKey: [UInt8]?, lifetime: Int
    ) throws(JWTError) {
        self.algorithm = algorithm
        key = try JWTKey(algorithm, publicKey: publicKey, privateKey: privateKey)
        self.lifetime = lifetime
    }

    /// Else there is only a public key.
    package var canSign: Bool { key.canSign }

    /// - Parameter now: Seconds since 1970.
    /// - Returns: Nil when it cannot be signed.
    package func token(user: String, authRevision: UInt64, now: Int) -> String? {
        let header = #"{"alg":"\#(algorithm.rawValue)","typ":"JWT"}"#
        let claims = #"{"exp":\#(now + lifetime),"revision":\#(authRevision),"username":\#(Self.quoted(user))}"#
        let text = [header, claims].map { Base64.encode(Array($0.utf8), .url) }.joined(separator: ".")
        guard let signature = key.sign(Array(text.utf8)) else { return nil }
        return text + "." + Base64.encode(signature, .url)
    }

    /// Nil for a token that was not signed with the key, or is not good yet or any more.
    package func claims(of token: String, now: Int) -> Claims? {
        guard token.utf8.count <= Self.tokenBytesMax else { return nil }
        let parts = token.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Self.object(parts[0]), header["alg"] == .text(algorithm.rawValue),
            // An extension that must be understood, and is not.
            header["crit"] == nil, let signature = Base64.decode(parts[2], .url)
        else { return nil }
        let signed = Array(token.utf8.prefix(parts[0].count + 1 + parts[1].count))
        guard key.isValid(signature, of: signed), let claims = Self.object(parts[1]),
            case .text(let user)? = claims["username"], case .number(let revision)? = claims["revision"],
            let authRevision = UInt64(exactly: revision.double)
        else { return nil }
        var found = Claims(user: user, authRevision: authRevision)
        if let begins = claims["nbf"] {
            guard case .number(let time) = begins, time.double <= Double(now) else { return nil }
        }
        if let expires = claims["exp"] {
            guard case .number(let time) = expires, Double(now) < time.double else { return nil }
            found.expires = time.double
        }
        return found
    }

    private static func object(_ part: Substring.UTF8View) -> [String: JSONValue]? {
        guard let bytes = Base64.decode(part, .url), case .object(let fields)? = JSONValue(bytes) else { return nil }
        return fields
    }

    private static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\u{0}"..<" ":
                let digits = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}
