import Crypto
import CryptoExtras
import StrakeCredentials
import StrakeJWT
import Testing

@Suite struct JWTTests {
    private static let now = 1_000_000

    private struct Pair: Sendable {
        var publicKey: [UInt8]?
        var privateKey: [UInt8]

        init(_ publicKey: String?, _ privateKey: String) {
            self.publicKey = publicKey.map { Array($0.utf8) }
            self.privateKey = Array(privateKey.utf8)
        }
    }

    private static func pem(_ label: String, _ der: [UInt8]) -> String {
        "-----BEGIN \(label)-----\n\(Base64.encode(der, .standard))\n-----END \(label)-----\n"
    }

    private static let rsa: Pair = {
        guard let key = try? _RSA.Signing.PrivateKey(keySize: .bits2048) else { fatalError("no RSA key") }
        return Pair(key.publicKey.pemRepresentation, key.pemRepresentation)
    }()

    private static func pair(_ algorithm: JWTAlgorithm) -> Pair {
        switch algorithm {
        case .hs256, .hs384, .hs512: return Pair(nil, "a secret of some length")
        case .rs256, .rs384, .rs512, .ps256, .ps384, .ps512: return rsa
        case .es256:
            let key = P256.Signing.PrivateKey()
            return Pair(key.publicKey.pemRepresentation, key.pemRepresentation)
        case .es384:
            let key = P384.Signing.PrivateKey()
            return Pair(key.publicKey.pemRepresentation, key.pemRepresentation)
        case .es512:
            let key = P521.Signing.PrivateKey()
            return Pair(key.publicKey.pemRepresentation, key.pemRepresentation)
        case .edDSA:
            let key = Curve25519.Signing.PrivateKey()
            // RFC 8410, sections 4 and 7.
            let publicKey = Base64.decode("MCowBQYDK2VwAyEA".utf8, .standard)! + Array(key.publicKey.rawRepresentation)
            let privateKey =
                Base64.decode("MC4CAQAwBQYDK2VwBCIEIA==".utf8, .standard)! + Array(key.rawRepresentation)
            return Pair(pem("PUBLIC KEY", publicKey), pem("PRIVATE KEY", privateKey))
        }
    }

    private func jwt(_ algorithm: JWTAlgorithm, _ pair: Pair, lifetime: Int = 60) throws -> JWT {
        try JWT(algorithm, publicKey: pair.publicKey, privateKey: pair.privateKey, lifetime: lifetime)
    }

    @Test("what is signed is good, and nothing else", arguments: JWTAlgorithm.allCases)
    func signing(algorithm: JWTAlgorithm) throws {
        let pair = Self.pair(algorithm)
        let jwt = try jwt(algorithm, pair)
        let user = "größe \"\\ \u{1}"
        let token = try #require(jwt.token(user: user, authRevision: 12, now: Self.now))
        let claims = try #require(jwt.claims(of: token, now: Self.now))
        #expect(claims.user == user && claims.authRevision == 12 && claims.expires == Double(Self.now + 60))
        // Good until it ends.
        #expect(jwt.claims(of: token, now: Self.now + 59) != nil)
        #expect(jwt.claims(of: token, now: Self.now + 60) == nil)
        // No letter of it may be another one.
        let letters = Array(token.utf8)
        for position in stride(from: 0, to: letters.count, by: 7) {
            var other = letters
            other[position] = other[position] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            #expect(jwt.claims(of: String(decoding: other, as: UTF8.self), now: Self.now) == nil, "at \(position)")
        }
        // Another key's.
        if algorithm != .hs256, pair.publicKey != Self.rsa.publicKey {
            let stranger = try self.jwt(algorithm, Self.pair(algorithm))
            if pair.publicKey != nil { #expect(stranger.claims(of: token, now: Self.now) == nil) }
        }
        guard let publicKey = pair.publicKey else { return }
        let checking = try JWT(algorithm, publicKey: publicKey, privateKey: nil, lifetime: 60)
        #expect(jwt.canSign && !checking.canSign)
        #expect(checking.claims(of: token, now: Self.now) == claims)
        #expect(checking.token(user: "u", authRevision: 1, now: Self.now) == nil)
    }

    @Test func `a token is good for its own algorithm only`() throws {
        let secret = Self.pair(.hs256)
        let token = try #require(try jwt(.hs256, secret).token(user: "u", authRevision: 1, now: Self.now))
        #expect(try jwt(.hs384, secret).claims(of: token, now: Self.now) == nil)
        // Who has the public key could make a secret of it.
        let forged = Pair(nil, String(decoding: Self.rsa.publicKey!, as: UTF8.self))
        let forgery = try #require(try jwt(.hs256, forged).token(user: "root", authRevision: 1, now: Self.now))
        #expect(try jwt(.rs256, Self.rsa).claims(of: forgery, now: Self.now) == nil)
        let parts = token.split(separator: ".")
        for header in [#"{"alg":"none"}"#, #"{"alg":"HS256","crit":["x"]}"#, #"{"alg":"hs256"}"#, "{}"] {
            let unsigned = Base64.encode(Array(header.utf8), .url) + ".\(parts[1])."
            #expect(try jwt(.hs256, secret).claims(of: unsigned, now: Self.now) == nil, "\(header)")
            #expect(try jwt(.hs256, secret).claims(of: unsigned + parts[2], now: Self.now) == nil, "\(header)")
        }
    }

    /// Signed by a key of the test's, whatever it says.
    private func token(_ claims: String, _ secret: String) -> String {
        let text = [#"{"alg":"HS256"}"#, claims].map { Base64.encode(Array($0.utf8), .url) }.joined(separator: ".")
        let key = SymmetricKey(data: Array(secret.utf8))
        let code = Array(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key))
        return text + "." + Base64.encode(code, .url)
    }

    @Test(
        "what a token has to say is a user and an auth revision, and a time that is now",
        arguments: [
            (#"{"username":"u","revision":3}"#, true), (#"{"username":"u","revision":3,"exp":1000001}"#, true),
            (#" { "a" : [ 1 , { "b" : null } ] , "revision" : 3e0 , "username" : "\u0075" } "#, true),
            (#"{"username":"u","revision":3,"exp":1000000}"#, false),
            (#"{"username":"u","revision":3,"exp":"x"}"#, false),
            (#"{"username":"u","revision":3,"nbf":1000000}"#, true),
            (#"{"username":"u","revision":3,"nbf":1000001}"#, false),
            (#"{"username":"u"}"#, false), (#"{"revision":3}"#, false), (#"{"username":1,"revision":3}"#, false),
            (#"{"username":"u","revision":"3"}"#, false), (#"{"username":"u","revision":-1}"#, false),
            (#"{"username":"u","revision":1.5}"#, false), (#"{"username":"u","revision":1e99}"#, false),
            (#"{"username":"u","username":"root","revision":3}"#, false), (#"{"username":"u","revision":3}}"#, false),
            (#"{"username":"u","revision":3"#, false), ("[]", false), ("", false), ("{", false), (#"{"a"}"#, false),
            (#"{"username":"u\","revision":3}"#, false), (#"{"username":"\ud800","revision":3}"#, false),
        ])
    func saying(claims: String, isGood: Bool) throws {
        let secret = "s"
        let jwt = try JWT(.hs256, publicKey: nil, privateKey: Array(secret.utf8), lifetime: 1)
        let found = jwt.claims(of: token(claims, secret), now: Self.now)
        #expect((found != nil) == isGood)
        if isGood { #expect(found?.user == "u" && found?.authRevision == 3) }
    }

    @Test("what is no token is refused", arguments: ["", ".", "..", "a.b.c", "...", "\u{0}", "a.1"])
    func noTokens(text: String) throws {
        #expect(try jwt(.hs256, Self.pair(.hs256)).claims(of: text, now: 0) == nil)
    }

    @Test func `keys that do not fit are refused with the reason`() throws {
        let es = Self.pair(.es256)
        func refused(_ algorithm: JWTAlgorithm, _ publicKey: [UInt8]?, _ privateKey: [UInt8]?, _ words: String) {
            let error = #expect(throws: JWTError.self) {
                try JWT(algorithm, publicKey: publicKey, privateKey: privateKey, lifetime: 1)
            }
            #expect(error?.description.contains(words) ?? false, "\(String(describing: error))")
        }
        refused(.hs256, es.publicKey, nil, "HS256 needs priv-key")
        refused(.hs256, nil, [], "HS256 needs priv-key")
        refused(.rs256, nil, nil, "RS256 needs priv-key, or pub-key")
        refused(.es256, Self.pair(.es256).publicKey, es.privateKey, "not of one pair")
        refused(.es384, nil, es.privateKey, "no key for ES384")
        refused(.rs256, es.publicKey, nil, "no key for RS256")
        refused(.edDSA, es.publicKey, nil, "no Ed25519 key")
        refused(.es256, Array("x".utf8), nil, "no key for ES256")
    }
}
