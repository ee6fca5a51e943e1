import StrakeAuth
import StrakeModel
import StrakeSeededGenerator
import Testing

/// What permissions on ranges come to together, asked through a user who has them.
@Suite struct KeySetTests {
    private func store(_ grants: [Permission]) throws -> AuthStore {
        var store = AuthStore()
        try store.apply(.roleAdd("r"))
        for grant in grants { try store.apply(.roleGrantPermission("r", grant)) }
        try store.apply(.userAdd(.root, hash: [1]))
        try store.apply(.userGrantRole(.root, role: .root))
        try store.apply(.userAdd("u", hash: [1]))
        try store.apply(.userGrantRole("u", role: "r"))
        try store.apply(.enable)
        return store
    }

    private func allows(_ store: AuthStore, _ key: String, _ end: String) -> Bool {
        let range = KeyRange(key: Array(key.utf8), rangeEnd: Array(end.utf8))
        let identity = RequestIdentity(user: "u", authRevision: store.revision)
        do throws(StoreError) {
            try store.require(.reading, of: range, by: identity)
            return true
        } catch {
            #expect(error == .permissionDenied)
            return false
        }
    }

    @Test(
        "reading is allowed where the grants together cover all of the range",
        arguments: [
            // One key opens itself and nothing more, above all no range that begins with it.
            (["a"], "a", "", true), (["a"], "a", "b", false), (["a"], "a", "\0", false), (["a"], "b", "", false),
            (["a"], "a\0", "", false), (["a"], "a", "a\0", true),
            // A range opens what is in it.
            (["b-d"], "b", "", true), (["b-d"], "c", "d", true), (["b-d"], "d", "", false), (["b-d"], "b", "d", true),
            (["b-d"], "b", "e", false), (["b-d"], "a", "c", false), (["b-d"], "b", "\0", false),
            // Ranges that meet open what goes from one into the other.
            (["a-b", "b-c"], "a", "c", true), (["a-b", "c-d"], "a", "d", false), (["a", "a\0-c"], "a", "c", true),
            (["a-c", "b-d"], "a", "d", true), (["a-z", "b-c"], "a", "z", true),
            // Without an end.
            (["c-\0"], "c", "\0", true), (["c-\0"], "x", "z", true), (["c-\0"], "b", "\0", false),
            (["a-d", "c-\0"], "a", "\0", true), (["\0-\0"], "\0", "\0", true), (["\0-\0"], "k", "", true),
            // Ranges in which there is no key.
            (["b-d"], "c", "b", true), (["b-d"], "c", "bb", true), (["b-d"], "e", "b", false), ([], "b", "a", false),
            ([], "a", "", false),
        ] as [([String], String, String, Bool)])
    func coverage(grants: [String], key: String, end: String, isAllowed: Bool) throws {
        let permissions = grants.map { grant in
            let parts = grant.split(separator: "-", maxSplits: 1).map { Array($0.utf8) }
            return Permission(kind: Permission.read, key: parts[0], rangeEnd: parts.count > 1 ? parts[1] : [])
        }
        #expect(allows(try store(permissions), key, end) == isAllowed)
    }

    @Test func `random grants allow just the ranges all of whose keys they allow`() throws {
        let seed = SeededGenerator.seed(of: "grants")
        var random = SeededGenerator(seed: seed)
        // Keys are the letters a to h, and a range is asked of them one by one.
        let letters = (UInt8(ascii: "a")...UInt8(ascii: "h")).map { [$0] }
        var counts = [false: 0, true: 0]
        for _ in 0..<2_000 {
            var open: Set<[UInt8]> = []
            let grants = (0..<random.below(5)).map { _ in
                let from = random.below(letters.count)
                let to = from + 1 + random.below(letters.count - from)
                open.formUnion(letters[from..<to])
                let end = to < letters.count ? letters[to] : [0]
                return Permission(kind: Permission.read, key: letters[from], rangeEnd: end)
            }
            let store = try store(grants)
            let from = random.below(letters.count)
            let to = from + 1 + random.below(letters.count - from)
            let end = to < letters.count ? String(decoding: letters[to], as: UTF8.self) : "\0"
            let isAllowed = letters[from..<to].allSatisfy(open.contains)
            let key = String(decoding: letters[from], as: UTF8.self)
            #expect(allows(store, key, end) == isAllowed, "seed \(seed)")
            counts[isAllowed, default: 0] += 1
        }
        #expect(counts[true]! > 200 && counts[false]! > 200)
    }
}

extension AuthName: ExpressibleByStringLiteral {
    public init(stringLiteral text: String) { self.init(text) }
}
