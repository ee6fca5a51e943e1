import StrakeLMDB
import StrakeSeededGenerator
import StrakeTemporaryDirectory
import Testing

struct CursorTests {
    let directory = TemporaryDirectory()
    let environment: Environment
    let table: Table

    init() throws {
        environment = try Environment(directory: directory.path, tables: ["one"], mapBytes: 1 << 30)
        table = environment.table("one")
    }

    func fill(_ keys: [String]) throws {
        try environment.write { txn throws(LMDBError) in
            for key in keys { try txn.put(key, "value of \(key)", table) }
        }
    }

    /// The key that a move led to.
    func key(_ found: Bool, _ cursor: borrowing Cursor) -> String? {
        found ? String(decoding: cursor.key, as: UTF8.self) : nil
    }

    @Test func `a cursor walks both ways and stops at the ends`() throws {
        try fill(["a", "c", "e"])
        let txn = try environment.beginRead()
        var cursor = try txn.cursor(in: table)
        var seen: [String?] = []
        for _ in 0..<4 { seen.append(key(try cursor.next(), cursor)) }
        #expect(seen == ["a", "c", "e", nil])
        let leftover = cursor.key.count + cursor.value.count
        #expect(leftover == 0)
        seen = [key(try cursor.last(), cursor)]
        let value = String(decoding: cursor.value, as: UTF8.self)
        #expect(value == "value of e")
        for _ in 0..<3 { seen.append(key(try cursor.previous(), cursor)) }
        seen.append(key(try cursor.first(), cursor))
        #expect(seen == ["e", "c", "a", nil, "a"])
    }

    @Test func `seeking finds the key or the one after it`() throws {
        try fill(["a", "c", "e"])
        let txn = try environment.beginRead()
        var cursor = try txn.cursor(in: table)
        var seen: [String?] = []
        for sought in ["a", "b", "0", "f"] as [StaticString] {
            let bytes = UnsafeRawBufferPointer(start: sought.utf8Start, count: sought.utf8CodeUnitCount)
            seen.append(key(try cursor.seek(atOrAfter: bytes), cursor))
            seen.append(key(try cursor.seek(exactly: bytes), cursor))
        }
        #expect(seen == ["a", "a", "c", nil, "a", nil, nil, nil])
    }

    @Test func `appending refuses a key that is not above the last`() throws {
        try fill(["m"])
        try environment.write { txn throws(LMDBError) in
            var cursor = try txn.cursor(in: table)
            for (key, fits) in [("n", true), ("a", false), ("n", false), ("z", true)] as [(StaticString, Bool)] {
                let bytes = UnsafeRawBufferPointer(start: key.utf8Start, count: 1)
                let place = try cursor.reserveLast(bytes, valueCount: 3)
                #expect((place != nil) == fits)
                place?.copyBytes(from: "new".utf8)
            }
        }
        try environment.read { txn throws(LMDBError) in
            let values = [try txn.get("n", table), try txn.get("z", table), try txn.get("a", table)]
            #expect(values == ["new", "new", nil])
        }
    }

    /// Rows of about 400 bytes, so that nine fit in a page and deletions empty and merge pages.
    @Test(arguments: [UInt64(1), 2, 3])
    func `deleting while walking visits every row once`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let keys = (0..<5_000).map { "key \(1_000_000 + $0)" + String(repeating: "x", count: 380) }
        try fill(keys)
        var kept: [String] = []
        var visited: [String] = []
        try environment.write { txn throws(LMDBError) in
            var cursor = try txn.cursor(in: table)
            let percent = UInt64([0, 10, 50, 95][Int(seed)])
            while try cursor.next() {
                let key = String(decoding: cursor.key, as: UTF8.self)
                visited.append(key)
                if random.next() % 100 < percent { try cursor.delete() } else { kept.append(key) }
            }
        }
        #expect(visited == keys)
        var left: [String] = []
        try environment.read { txn throws(LMDBError) in
            var cursor = try txn.cursor(in: table)
            while try cursor.next() { left.append(String(decoding: cursor.key, as: UTF8.self)) }
        }
        #expect(left == kept)
    }

    @Test func `readers on many threads see whole transactions while a writer goes on`() async throws {
        let rounds = 300
        let environment = environment
        let table = table
        try fill((0..<100).map { "key \($0)" })
        await withTaskGroup(of: Int.self) { group in
            group.addTask {
                for round in 0..<rounds {
                    try? environment.write { txn throws(LMDBError) in
                        for number in 0..<100 { try txn.put("key \(number)", "round \(round)", table) }
                    }
                }
                return 0
            }
            for _ in 0..<4 {
                group.addTask {
                    var mixed = 0
                    for _ in 0..<2_000 {
                        let values = try? environment.read { txn throws(LMDBError) -> Set<String> in
                            var values: Set<String> = []
                            for number in stride(from: 0, to: 100, by: 9) {
                                values.insert(try txn.get("key \(number)", table) ?? "none")
                            }
                            return values
                        }
                        let isWhole = values.map { $0.count == 1 || $0.allSatisfy { $0.hasPrefix("value of") } }
                        if isWhole != true { mixed += 1 }
                    }
                    return mixed
                }
            }
            for await mixed in group { #expect(mixed == 0) }
        }
        try environment.read { txn throws(LMDBError) in #expect(try txn.get("key 99", table) == "round \(rounds - 1)") }
    }
}
