import Crypto
import StrakeCredentials
import StrakeFuzzing
import StrakeJWT
import StrakeSeededGenerator
import Testing

/// Seconds since 1970.
private let now = 1_000_000

/// Tokens and key files that nobody has made well.
@Suite struct FuzzTests {
    private static let secret = Array("a secret of some length".utf8)

    @Test func `no damaged token is good, whatever it was signed with`() throws {
        let seed = SeededGenerator.seed(of: "damaged tokens")
        var random = SeededGenerator(seed: seed)
        let elliptic = Array(P256.Signing.PrivateKey().pemRepresentation.utf8)
        let schemes = [
            try JWT(.hs256, publicKey: nil, privateKey: Self.secret, lifetime: 60),
            try JWT(.hs512, publicKey: nil, privateKey: Self.secret, lifetime: 60),
            try JWT(.es256, publicKey: nil, privateKey: elliptic, lifetime: 60),
        ]
        let damage = Damage(letters: Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=".utf8))
        let corpus = try schemes.map { scheme in
            try (1...8).map { number in
                let token = scheme.token(user: "user\(number)", authRevision: UInt64(number), now: now)
                return Array(try #require(token).utf8)
            }
        }
        var changed = 0
        for number in 0..<FuzzCases.count {
            // Signatures of curves take their time.
            let kind = number % 20 == 0 ? 2 : random.below(2)
            let token = corpus[kind][random.below(8)]
            var other = token
            damage.apply(to: &other, &random)
            // The head or the claims of another token, with this one's signature.
            if random.chance(10) {
                let parts = corpus[random.below(3)][random.below(8)].split(separator: UInt8(ascii: "."))
                let own = token.split(separator: UInt8(ascii: "."))
                other = Array([parts[0], parts[1], own[2]].joined(separator: [UInt8(ascii: ".")]))
            }
            let text = String(decoding: other, as: UTF8.self)
            let isOwn = corpus[kind].contains(Array(text.utf8))
            if !isOwn { changed += 1 }
            guard (schemes[kind].claims(of: text, now: now) != nil) == isOwn else {
                Issue.record("\(text) is taken to be \(isOwn ? "bad" : "good"), seed \(seed)")
                return
            }
        }
        #expect(changed > FuzzCases.count / 2)
    }

    /// Claims, as any program might write them.
    private struct Claims {
        var text = ""
        var user: String?
        var revision: UInt64?
        var expires: Int?
        var begins: Int?
        /// What is not a claim's to be.
        var isBroken = false

        var isGood: Bool {
            user != nil && revision != nil && !isBroken && now < expires ?? .max && begins ?? .min <= now
        }

        init(_ random: inout SeededGenerator) {
            var fields: [String] = []
            func space() -> String { ["", "", " ", "\n\t", "\r "][random.below(5)] }
            func quoted(_ text: String) -> String {
                "\""
                    + text.unicodeScalars.map { scalar in
                        if scalar == "\"" || scalar == "\\" { return "\\" + String(scalar) }
                        if scalar.value >= 0x20, random.chance(80) { return String(scalar) }
                        return String(scalar).utf16.map { unit in
                            let digits = String(unit, radix: 16, uppercase: random.chance(50))
                            return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                        }.joined()
                    }.joined() + "\""
            }
            func add(_ name: String, _ value: String) {
                fields.append(space() + quoted(name) + space() + ":" + space() + value + space())
            }
            if random.chance(92) {
                let user = ["u", "", "größe", "\"\\", "a\u{0}b", "𝄞", "e\u{301}", "root"][random.below(8)]
                self.user = user
                add("username", quoted(user))
            }
            if random.chance(92) {
                let revision = UInt64(random.below(1 << 40))
                self.revision = revision
                add("revision", random.chance(80) ? String(revision) : "\(revision).0e0")
            }
            if random.chance(60) {
                let expires = now - 3 + random.below(20)
                self.expires = expires
                add("exp", String(expires))
            }
            if random.chance(30) {
                let begins = now + 3 - random.below(20)
                self.begins = begins
                add("nbf", String(begins))
            }
            for other in ["\"x\"", "1e3", "[1,{\"a\":[]}]", "null", "{\"username\":\"root\"}"] where random.chance(20) {
                add("x\(fields.count)", other)
            }
            if random.chance(4) {
                // Which of two is meant cannot be told.
                isBroken = revision != nil
                revision = revision ?? 7
                add("revision", "7")
            }
            fields.shuffle(using: &random)
            text = "{" + fields.joined(separator: ",") + "}"
            let ends = [",", "}", "{}", "\u{0}", "x"]
            if random.chance(4) { (isBroken, text) = (true, text + ends[random.below(ends.count)]) }
        }
    }

    @Test func `a token says what its claims say, however they are written`() throws {
        let seed = SeededGenerator.seed(of: "claims")
        var random = SeededGenerator(seed: seed)
        let scheme = try JWT(.hs256, publicKey: nil, privateKey: Self.secret, lifetime: 60)
        let head = Base64.encode(Array(#"{"typ":"JWT","kid":"7","alg":"HS256"}"#.utf8), .url)
        var counts = [true: 0, false: 0]
        for _ in 0..<FuzzCases.count / 2 {
            let claims = Claims(&random)
            let signed = head + "." + Base64.encode(Array(claims.text.utf8), .url)
            let code = HMAC<SHA256>.authenticationCode(
                for: Array(signed.utf8), using: SymmetricKey(data: Self.secret))
            let found = scheme.claims(of: signed + "." + Base64.encode(Array(code), .url), now: now)
            // Texts are compared byte by byte: two that only look alike are two users.
            let isRight =
                found.map {
                    claims.isGood && Array($0.user.utf8) == claims.user.map { Array($0.utf8) }
                        && $0.authRevision == claims.revision && $0.expires == claims.expires.map(Double.init)
                } ?? !claims.isGood
            guard isRight else {
                Issue.record("\(claims.text) reads as \(String(describing: found)), seed \(seed)")
                return
            }
            counts[claims.isGood, default: 0] += 1
        }
        #expect(counts[true]! > FuzzCases.count / 10 && counts[false]! > FuzzCases.count / 20, "\(counts)")
    }

    @Test func `damaged key files are refused, or are the key that they still hold`() throws {
        let seed = SeededGenerator.seed(of: "damaged key files")
        var random = SeededGenerator(seed: seed)
        let edwards = Curve25519.Signing.PrivateKey()
        let prefix = Base64.decode("MC4CAQAwBQYDK2VwBCIEIA==".utf8, .standard)! + Array(edwards.rawRepresentation)
        let text = "-----BEGIN PRIVATE KEY-----\n\(Base64.encode(prefix, .standard))\n-----END PRIVATE KEY-----\n"
        let files: [(JWTAlgorithm, [UInt8])] = [
            (.es256, Array(P256.Signing.PrivateKey().pemRepresentation.utf8)),
            (.es384, Array(P384.Signing.PrivateKey().pemRepresentation.utf8)), (.edDSA, Array(text.utf8)),
        ]
        let damage = Damage(
            letters: Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-\n ".utf8))
        let schemes = try files.map { try JWT($0.0, publicKey: nil, privateKey: $0.1, lifetime: 60) }
        var counts = [true: 0, false: 0]
        for _ in 0..<FuzzCases.count / 50 {
            let place = random.below(files.count)
            var (algorithm, bytes) = files[place]
            damage.apply(to: &bytes, &random)
            if random.chance(10) { algorithm = JWTAlgorithm.allCases[3 + random.below(10)] }
            let other = try? JWT(algorithm, publicKey: nil, privateKey: bytes, lifetime: 60)
            counts[other != nil, default: 0] += 1
            guard let other, let token = other.token(user: "u", authRevision: 1, now: now) else { continue }
            // Whatever key it is by now, it fits itself.
            #expect(other.claims(of: token, now: now)?.user == "u", "seed \(seed)")
            if algorithm == files[place].0, bytes == files[place].1 {
                #expect(schemes[place].claims(of: token, now: now) != nil, "seed \(seed)")
            }
        }
        #expect(counts[true]! > 0 && counts[false]! > FuzzCases.count / 200, "\(counts)")
    }
}
