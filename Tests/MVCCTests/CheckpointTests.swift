import StrakeLMDB
import StrakeMVCC
import StrakeModel
import StrakeTables
import Testing

struct CheckpointTests {
    let fixture: StoreFixture

    init() throws { fixture = try StoreFixture() }

    private func state(_ key: String) throws -> [UInt8]? {
        try fixture.tables.environment.read { txn throws(TableError) in
            try fixture.tables.state.get(key.bytes, in: txn)
        }
    }

    @Test func `a store opens with what the last checkpoint left`() throws {
        try fixture.put("a", "1")
        try fixture.put("b", "2")
        try fixture.compact(through: 2)
        fixture.publish()
        let work = try #require(
            fixture.freeze(index: 17, term: 3, stateChanges: [StateChange(key: "x".bytes, value: [1])]))
        #expect(work.appliedIndex == 17 && work.appliedTerm == 3)
        #expect(try work.run())
        fixture.finish(work)
        try fixture.put("c", "lost")
        try fixture.crash()
        #expect(fixture.revision == 3 && fixture.compactRevision == 2)
        #expect(fixture.position == (17, 3))
        #expect(try fixture.all() == ["a=1", "b=2"])
        #expect(try state("x") == [1])
        #expect(fixture.layerBytes == 0)
    }

    @Test func `there is one checkpoint at a time, and none without a change`() throws {
        #expect(fixture.freeze(index: 0, term: 0, stateChanges: []) == nil)
        // A command that changed nothing moves the applied index all the same.
        let first = try #require(fixture.freeze())
        #expect(fixture.isCheckpointing)
        #expect(fixture.freeze() == nil)
        try first.run()
        fixture.finish(first)
        #expect(!fixture.isCheckpointing)
        #expect(fixture.freeze(index: 1, stateChanges: []) == nil)
        let removal = [StateChange(key: "x".bytes, value: nil)]
        #expect(fixture.freeze(index: 1, stateChanges: removal) != nil)
    }

    @Test func `a key is read alike in the active layer, the frozen one and the file`() throws {
        try fixture.put("a", "1")
        try fixture.put("b", "1")
        try fixture.put("c", "1")
        try fixture.checkpoint()
        try fixture.put("b", "2")
        try fixture.put("c", "2")
        let work = try #require(fixture.freeze())
        try fixture.put("c", "3")
        fixture.publish()
        let expected = [["a=1", "b=1", "c=1"], ["a=1", "b=2", "c=1"], ["a=1", "b=2", "c=2"], ["a=1", "b=2", "c=3"]]
        #expect(try (4...7).map { try fixture.all(at: $0) } == expected)
        try work.run()
        #expect(try (4...7).map { try fixture.all(at: $0) } == expected)
        fixture.finish(work)
        #expect(try (4...7).map { try fixture.all(at: $0) } == expected)
        try fixture.checkpoint()
        #expect(try (4...7).map { try fixture.all(at: $0) } == expected)
    }

    @Test func `a huge revision is written in slices and shown whole`() throws {
        for number in 0..<20_000 { try fixture.put("key \(number)") }
        try fixture.checkpoint()
        #expect(try fixture.delete("key", to: "kez").deleted == 20_000)
        #expect(fixture.revision == 20_002)
        let work = try #require(fixture.freeze([StateChange(key: "x".bytes, value: [9])]))
        var limits = CheckpointLimits()
        limits.pagesMax = 1_000
        limits.slicesMax = 10
        #expect(try !work.run(limits: limits))
        // A crash here: most is in the file, and nothing of it is to be seen.
        try fixture.crash()
        #expect(fixture.revision == 20_001)
        #expect(try fixture.range("key", to: "kez") { $0.countOnly = true }.count == 20_000)
        #expect(try state("x") == nil)
        #expect(try fixture.changes(from: 20_001) == ["20001.0 put key 19999"])
        #expect(try fixture.applied(.all).count == 20_000)
        // The log again.
        #expect(try fixture.delete("key", to: "kez").deleted == 20_000)
        try fixture.checkpoint()
        #expect(try fixture.all() == [])
        #expect(try fixture.all(at: 20_001).count == 20_000)
        #expect(try fixture.changes(from: 20_002).count == 20_000)
    }

    @Test func `keys are counted, through checkpoints and crashes`() throws {
        try fixture.put("a")
        try fixture.put("b")
        try fixture.put("a", "again")
        #expect(fixture.keyCount == 2 && fixture.reader.keyCount == 0)
        fixture.publish()
        #expect(fixture.reader.keyCount == 2)
        try fixture.checkpoint()
        try fixture.delete("a")
        #expect(try fixture.delete("none").deleted == 0)
        #expect(fixture.keyCount == 1)
        try fixture.crash()
        #expect(fixture.keyCount == 2 && fixture.reader.keyCount == 2)
        try fixture.delete("a", to: "z")
        try fixture.put("a", "anew")
        try fixture.checkpoint()
        try fixture.crash()
        #expect(fixture.keyCount == 1 && fixture.reader.keyCount == 1)
    }

    @Test(arguments: [nil, 3, 5] as [UInt64?])
    func `keys are counted where the last checkpoint did not do it`(revisionCounted: UInt64?) throws {
        for key in ["a", "b", "c"] { try fixture.put(key) }
        try fixture.delete("b")
        try fixture.checkpoint()
        // A checkpoint that was cut short is in the file too, and is not to be seen.
        try fixture.delete("a")
        try fixture.put("d")
        var limits = CheckpointLimits()
        limits.pagesMax = 1
        limits.slicesMax = 1
        let work = try #require(fixture.freeze())
        #expect(try !work.run(limits: limits))
        // As a program leaves the file that does not count: nothing, or the number of an earlier revision.
        try fixture.tables.environment.write { txn throws(TableError) in
            let key = "mvcc/keys".bytes
            if let revisionCounted {
                let fields = [revisionCounted, 77].flatMap { field in
                    withUnsafeBytes(of: field.littleEndian, Array.init)
                }
                try fixture.tables.state.put(key, fields, in: txn)
            } else {
                _ = try fixture.tables.state.delete(key, in: txn)
            }
        }
        try fixture.crash()
        // The revision of the last checkpoint is 5: of that a number is believed.
        #expect(fixture.keyCount == (revisionCounted == 5 ? 77 : 2))
        if revisionCounted == 5 { return }
        #expect(fixture.reader.keyCount == 2)
        // The next checkpoint has the number, although nothing else is new.
        try fixture.checkpoint()
        try fixture.crash()
        #expect(fixture.keyCount == 2)
    }

    @Test func `each transaction's commit is told of`() throws {
        for number in 0..<2_000 { try fixture.put("key \(number)") }
        var limits = CheckpointLimits()
        limits.pagesMax = 500
        let work = try #require(fixture.freeze())
        var phases: [CheckpointWork.CommitPhase] = []
        #expect(try work.run(limits: limits) { phases.append($0) })
        #expect(phases.count > 2)
        #expect(phases.enumerated().allSatisfy { $0.element == ($0.offset % 2 == 0 ? .begins : .ended) })
    }

    @Test func `the figures for memory and quota follow what is held`() throws {
        let empty = try fixture.reader.bytesInUse()
        for number in 0..<1_000 { try fixture.put("k\(number)", String(repeating: "v", count: 1_000)) }
        fixture.publish()
        #expect(fixture.activeBytes > 1_000_000 && fixture.activeBytes < 1_400_000)
        #expect(try fixture.reader.bytesInUse() >= empty + fixture.layerBytes)
        let work = try #require(fixture.freeze())
        #expect(fixture.activeBytes == 0 && fixture.layerBytes > 1_000_000)
        try work.run()
        fixture.finish(work)
        #expect(fixture.layerBytes == 0)
        #expect(try fixture.reader.bytesInUse() > 1_000_000)
        #expect(try fixture.reader.bytesTotal() >= fixture.reader.bytesInUse())
    }
}
