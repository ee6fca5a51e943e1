import StrakeCredentials
import Testing

@Suite struct BcryptTests {
    // Of the vectors that came with the first implementations.
    @Test(
        "hashes of others are checked as they were made",
        arguments: [
            ("", "$2a$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s."),
            ("a", "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe"),
            ("abc", "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i"),
            ("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
        ])
    func vectors(password: String, hash: String) {
        #expect(Bcrypt.matches(Array(password.utf8), Array(hash.utf8)))
        #expect(!Bcrypt.matches(Array((password + "x").utf8), Array(hash.utf8)))
    }

    @Test func `a hash has etcd's form, its cost, and a salt of its own`() throws {
        let password = Array("größe \u{ff}".utf8)
        let hash = try #require(Bcrypt.hash(password, cost: 4))
        let text = String(decoding: hash, as: UTF8.self)
        #expect(text.hasPrefix("$2a$04$") && hash.count == 60)
        #expect(Bcrypt.matches(password, hash))
        #expect(Bcrypt.hash(password, cost: 4) != hash)
        #expect(!Bcrypt.matches(Array("another".utf8), hash))
    }

    @Test func `what cannot be hashed whole is not hashed`() throws {
        #expect(Bcrypt.hash([UInt8](repeating: 97, count: 73), cost: 4) == nil)
        #expect(Bcrypt.hash([97, 0, 98], cost: 4) == nil)
        // Nor taken for the part before the zero.
        let hash = try #require(Bcrypt.hash([97], cost: 4))
        #expect(Bcrypt.matches([97], hash))
        #expect(!Bcrypt.matches([97, 0], hash))
        #expect(!Bcrypt.matches([97, 0, 98], hash))
    }

    @Test(
        "what is no hash matches nothing",
        arguments: [
            "", "a", "$2a$06$", "$1$abcdefgh$abcdefghijklmnopqrstuv", String(repeating: "x", count: 60),
            "$2a$99$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkY8jIucDrjc8deX1s.",
            "$2a$04$abcdefghijklmnopqrstuuxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        ])
    func noHashes(hash: String) {
        #expect(!Bcrypt.matches(Array("a".utf8), Array(hash.utf8)))
        #expect(!Bcrypt.matches([], Array(hash.utf8)))
    }

    @Test func `a password that was right is known for a while, for its hash alone`() {
        let verified = VerifiedPasswords()
        let (password, hash) = (Array("pw".utf8), Array("hash".utf8))
        #expect(!verified.contains(password, for: hash, now: 0))
        verified.insert(password, for: hash, now: 0)
        #expect(verified.contains(password, for: hash, now: 59_999))
        #expect(!verified.contains(password, for: hash, now: 60_000))
        #expect(!verified.contains(Array("pv".utf8), for: hash, now: 1))
        #expect(!verified.contains([], for: hash, now: 1))
        #expect(!verified.contains(password, for: Array("other".utf8), now: 1))
        verified.sweep(now: 60_000)
        #expect(!verified.contains(password, for: hash, now: 1))
    }

    @Test func `a password that is longer than bcrypt reads is not kept, nor worked on for who asks`() {
        let verified = VerifiedPasswords()
        let hash = Array("hash".utf8)
        for (count, isKept) in [(72, true), (73, false), (2 << 20, false)] {
            let password = [UInt8](repeating: 1, count: count)
            verified.insert(password, for: hash, now: 0)
            #expect(verified.contains(password, for: hash, now: 1) == isKept, "\(count) bytes")
        }
    }
}

@Suite struct Base64Tests {
    @Test(
        "bytes have their text",
        arguments: [
            ("", "", ""), ("f", "Zg==", "Zg"), ("fo", "Zm8=", "Zm8"), ("foo", "Zm9v", "Zm9v"),
            ("foob", "Zm9vYg==", "Zm9vYg"), ("\u{3bf}\u{3ff}", "zr/Pvw==", "zr_Pvw"),
        ])
    func texts(bytes: String, standard: String, url: String) {
        #expect(Base64.encode(Array(bytes.utf8), .standard) == standard)
        #expect(Base64.encode(Array(bytes.utf8), .url) == url)
        #expect(Base64.decode(standard.utf8, .standard) == Array(bytes.utf8))
        #expect(Base64.decode(url.utf8, .url) == Array(bytes.utf8))
    }

    @Test("other texts are refused", arguments: ["Zg", "Zg=", "Zh==", "Z", "Zg==Zg==", "Zm9v\n", "Zm8_", "====", "="])
    func refused(text: String) {
        #expect(Base64.decode(text.utf8, .standard) == nil)
    }
}
