import StrakeLMDB
import StrakeModel
import StrakeSeededGenerator
import StrakeTables
import Testing

/// An entry that says which key it belongs to.
private func entry(_ number: Int) -> CurrentEntry {
    CurrentEntry(
        modRevision: Revision(main: Int64(number), sub: Int32(number % 7)), isTombstone: number % 5 == 0,
        createRevision: Int64(number / 2), version: Int64(number % 1_000),
        lease: LeaseID(rawValue: number % 3 == 0 ? Int64(number) : 0), valueCount: number % 100_000,
        link: number % 4 == 0
            ? .first : ChainLink(depth: UInt64(number), jump: Revision(main: Int64(number / 3), sub: 1)))
}

/// Keys that meet at the seams of the trie: any length to 2,000, few different bytes, long shared beginnings.
private func randomKey(_ random: inout SeededGenerator, _ shared: [[UInt8]]) -> [UInt8] {
    let alphabet: [UInt8] = [0x00, 0x01, 0x61, 0xFE, 0xFF]
    func tail(_ count: Int, _ random: inout SeededGenerator) -> [UInt8] {
        (0..<count).map { _ in alphabet[Int(random.next() % 5)] }
    }
    switch random.next() % 10 {
    case 0..<5: return tail(1 + Int(random.next() % 12), &random)
    case 5: return random.bytes(count: Int(random.next() % 40))
    case 6: return random.bytes(count: Int(random.next() % 2_001))
    case 7:
        let seam = [489, 490, 491, 979, 980, 981, 1_470][Int(random.next() % 7)]
        return Array((shared[Int(random.next() % 4)] + tail(600, &random)).prefix(seam))
    default:
        let start = shared[Int(random.next() % 4)]
        return start.prefix([490, 980, 1_200][Int(random.next() % 3)]) + tail(Int(random.next() % 6), &random)
    }
}

private func sharedStarts(_ random: inout SeededGenerator) -> [[UInt8]] {
    [
        [UInt8](repeating: 0x00, count: 1_200), [UInt8](repeating: 0xFF, count: 1_200), random.bytes(count: 1_200),
        [UInt8](repeating: 0x61, count: 1_200),
    ]
}

struct CurrentTableTests {
    let fixture: Fixture
    var current: CurrentTable { fixture.tables.current }

    init() throws { fixture = try Fixture() }

    func keysForward() throws -> [[UInt8]] {
        try fixture.environment.read { txn throws(TableError) in
            var cursor = try current.cursor(in: txn)
            var keys: [[UInt8]] = []
            while try cursor.next() { keys.append([UInt8](cursor.key)) }
            return keys
        }
    }

    @Test func `200,000 random keys come back in byte order, forward and backward, each with its entry`() throws {
        var random = SeededGenerator(seed: 1)
        let shared = sharedStarts(&random)
        var model: [[UInt8]: Int] = [:]
        for number in 1...200_000 { model[randomKey(&random, shared)] = number }
        #expect(model.count > 100_000)
        let sorted = model.keys.sorted { $0.precedes($1) }
        try fixture.environment.write { txn throws(TableError) in
            var writer = try current.writer(in: txn)
            for key in model.keys { try writer.put(key, entry(model[key] ?? 0)) }
        }
        try fixture.environment.read { txn throws(TableError) in
            var cursor = try current.cursor(in: txn)
            var wrong = 0
            for key in sorted {
                let found = try cursor.next()
                if !found || [UInt8](cursor.key) != key || cursor.entry != entry(model[key] ?? 0) { wrong += 1 }
            }
            let after = try cursor.next()
            for key in sorted.reversed() {
                let found = try cursor.previous()
                if !found || [UInt8](cursor.key) != key || cursor.entry != entry(model[key] ?? 0) { wrong += 1 }
            }
            let before = try cursor.previous()
            #expect(wrong == 0)
            #expect(!after && !before)
            for key in sorted.prefix(20_000) {
                if try current.entry(for: key, in: txn) != entry(model[key] ?? 0) { wrong += 1 }
            }
            #expect(wrong == 0)
        }
        #expect(try fixture.statistics(of: "current").overflowPages == 0)
    }

    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `puts, deletes and seeks agree with a sorted array`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let shared = sharedStarts(&random)
        let keys = (0..<400).map { _ in randomKey(&random, shared) }
        var model: [[UInt8]: Int] = [:]
        for round in 0..<40 {
            try fixture.environment.write { txn throws(TableError) in
                var writer = try current.writer(in: txn)
                for number in 0..<100 {
                    let key = keys[Int(random.next() % 400)]
                    if random.next() % 5 < UInt64(1 + round % 4) {
                        let deleted = try writer.delete(key)
                        #expect(deleted == (model.removeValue(forKey: key) != nil))
                    } else {
                        let number = round * 100 + number
                        model[key] = number
                        try writer.put(key, entry(number))
                    }
                }
            }
            try expectAgreement(model, keys, &random)
        }
        try fixture.environment.write { txn throws(TableError) in
            var writer = try current.writer(in: txn)
            for key in model.keys { _ = try writer.delete(key) }
        }
        // Nothing is left but the counter of nodes.
        #expect(try fixture.rows(of: "current").map(\.key) == [[UInt8](repeating: 0xFF, count: 8)])
    }

    private func expectAgreement(
        _ model: [[UInt8]: Int], _ keys: [[UInt8]], _ random: inout SeededGenerator
    ) throws {
        let sorted = model.keys.sorted { $0.precedes($1) }
        try fixture.environment.read { txn throws(TableError) in
            var cursor = try current.cursor(in: txn)
            for _ in 0..<100 {
                var sought = keys[Int(random.next() % 400)]
                if random.next() % 2 == 0 { sought.removeLast(min(sought.count, Int(random.next() % 3))) }
                if random.next() % 2 == 0 { sought.append(UInt8(truncatingIfNeeded: random.next())) }
                var expected = sorted.firstIndex { !$0.precedes(sought) } ?? sorted.count
                var found = try cursor.seek(atOrAfter: sought)
                // A few steps from there, either way.
                for _ in 0..<6 {
                    #expect(found == sorted.indices.contains(expected))
                    if found {
                        let key = [UInt8](cursor.key)
                        #expect(key == sorted[expected])
                        let isRight = cursor.entry == entry(model[key] ?? -1)
                        #expect(isRight)
                    }
                    if random.next() % 2 == 0 {
                        found = try cursor.next()
                        expected = min(expected + 1, sorted.count)
                    } else {
                        found = try cursor.previous()
                        expected = max(expected - 1, -1)
                    }
                }
                let entryFound = try current.entry(for: sought, in: txn)
                #expect(entryFound == model[sought].map { entry($0) })
            }
        }
    }

    @Test func `keys at the seams of segments are keys of their own`() throws {
        let long = [UInt8](repeating: 0x6B, count: 1_500)
        let lengths = [0, 1, 489, 490, 491, 979, 980, 981, 1_469, 1_470, 1_471]
        for skipped in lengths {
            try fixture.environment.write { txn throws(TableError) in
                var writer = try current.writer(in: txn)
                for length in lengths.reversed() { try writer.put(Array(long.prefix(length)), entry(length)) }
                let deleted = try writer.delete(Array(long.prefix(skipped)))
                let deletedAgain = try writer.delete(Array(long.prefix(skipped)))
                #expect(deleted && !deletedAgain)
            }
            #expect(try keysForward().map(\.count) == lengths.filter { $0 != skipped })
            try fixture.environment.read { txn throws(TableError) in
                for length in lengths {
                    let found = try current.entry(for: Array(long.prefix(length)), in: txn)
                    #expect(found == (length == skipped ? nil : entry(length)))
                }
                let neverPut = try current.entry(for: Array(long.prefix(600)), in: txn)
                #expect(neverPut == nil)
            }
        }
    }

    @Test func `a key of at most 490 bytes is one row`() throws {
        try fixture.environment.write { txn throws(TableError) in
            var writer = try current.writer(in: txn)
            for length in [1, 100, 490] { try writer.put([UInt8](repeating: 7, count: length), entry(length)) }
        }
        #expect(try fixture.rows(of: "current").map(\.key.count) == [9, 108, 498])
    }

    @Test func `keys of 1.5 MiB that differ in their last byte are told apart`() throws {
        let start = [UInt8](repeating: 0xFF, count: 1_536 * 1_024)
        let keys = [start + [0], start + [1], start + [1, 0], start + [0xFF]]
        try fixture.environment.write { txn throws(TableError) in
            var writer = try current.writer(in: txn)
            for (number, key) in keys.enumerated() { try writer.put(key, entry(number)) }
            try writer.put([0xFF], entry(10))
        }
        #expect(try keysForward() == [[0xFF]] + keys)
        try fixture.environment.read { txn throws(TableError) in
            var cursor = try current.cursor(in: txn)
            let found = try cursor.seek(atOrAfter: start + [1])
            let isSecond = found && cursor.entry == entry(1)
            #expect(isSecond)
            let hasPrevious = try cursor.previous()
            let isFirst = hasPrevious && cursor.entry == entry(0)
            #expect(isFirst)
            let atStart = try current.entry(for: start, in: txn)
            #expect(atStart == nil)
        }
        try fixture.environment.write { txn throws(TableError) in
            var writer = try current.writer(in: txn)
            for key in keys { _ = try writer.delete(key) }
        }
        #expect(try fixture.rows(of: "current").count == 2)
    }

    @Test func `an empty table has no first and no last key`() throws {
        try fixture.environment.read { txn throws(TableError) in
            var cursor = try current.cursor(in: txn)
            let moves = [
                try cursor.next(), try cursor.previous(), try cursor.first(), try cursor.last(),
                try cursor.seek(atOrAfter: [1]),
            ]
            #expect(moves == [false, false, false, false, false])
        }
    }

    @Test func `a row with any byte changed, cut or moved is reported, not believed`() throws {
        let key = [UInt8](repeating: 0x6B, count: 20)
        try fixture.environment.write { txn throws(TableError) in
            var writer = try current.writer(in: txn)
            try writer.put(key, entry(1_111))
        }
        let row = try #require(try fixture.rows(of: "current").first)
        var damaged = (0..<row.value.count).map { index in
            var value = row.value
            value[index] ^= 0x10
            return value
        }
        damaged += (0..<row.value.count).map { Array(row.value.prefix($0)) } + [row.value + [0]]
        for value in damaged {
            try fixture.overwrite("current", row.key, value)
            for result in [read(key), walk()] {
                #expect(result.corruption != nil)
            }
        }
        try fixture.overwrite("current", row.key, row.value)
        #expect(read(key).corruption == nil)
        let elsewhere = row.key.dropLast() + [0x6C]
        try fixture.overwrite("current", Array(elsewhere), row.value)
        #expect(read(key.dropLast() + [0x6C]).corruption == .checksum)
    }

    @Test func `a node that is gone is reported`() throws {
        let key = [UInt8](repeating: 0x6B, count: 600)
        try fixture.environment.write { txn throws(TableError) in
            var writer = try current.writer(in: txn)
            try writer.put(key, entry(1))
            try writer.put(Array(key.prefix(490)), entry(2))
        }
        let child = try #require(try fixture.rows(of: "current").dropFirst().first)
        try fixture.overwrite("current", child.key, nil)
        #expect(walk().corruption == .danglingChild)
    }

    private func read(_ key: [UInt8]) -> Result<CurrentEntry?, TableError> {
        Result { () throws(TableError) in
            try fixture.environment.read { txn throws(TableError) in try current.entry(for: key, in: txn) }
        }
    }

    private func walk() -> Result<CurrentEntry?, TableError> {
        Result { () throws(TableError) in
            try fixture.environment.read { txn throws(TableError) -> CurrentEntry? in
                var cursor = try current.cursor(in: txn)
                var last: CurrentEntry?
                while try cursor.next() { last = cursor.entry }
                return last
            }
        }
    }
}
