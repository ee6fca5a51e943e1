import StrakeLMDB
import StrakeMVCC
import StrakeModel
import StrakeTables
import Testing

struct CompactionTests {
    let fixture: StoreFixture

    init() throws { fixture = try StoreFixture() }

    /// Logically, in the file, and physically.
    private func compact(through revision: Int64) throws {
        try fixture.compact(through: revision)
        try fixture.checkpoint()
        let before = try fixture.rows().history
        let result = try fixture.compactPhysically()
        #expect(result.last == .finished)
        #expect(try fixture.rows().history == before - result.removedCount)
        let more = try fixture.store.compactor.runSlice()
        #expect(more.progress == .finished && more.isIdle && more.removedCount == 0)
    }

    @Test func `a compaction at or below the last one, or in the future, is refused`() throws {
        try fixture.put("a")
        try fixture.compact(through: 2)
        #expect(throws: MVCCError.refused(.compacted(requested: 2, compactRevision: 2))) {
            try fixture.compact(through: 2)
        }
        #expect(throws: MVCCError.refused(.compacted(requested: 0, compactRevision: 2))) {
            try fixture.compact(through: 0)
        }
        #expect(throws: MVCCError.refused(.futureRevision(requested: 3, current: 2))) {
            try fixture.compact(through: 3)
        }
        #expect(fixture.compactRevision == 2)
    }

    @Test func `compaction keeps of each key what a read at its revision finds`() throws {
        for value in 1...5 { try fixture.put("a", "\(value)") }  // 2...6
        try fixture.put("b", "1")  // 7
        try fixture.put("a", "6")  // 8
        try compact(through: 6)
        #expect(try fixture.rows() == (3, 2))
        #expect(try fixture.all(at: 6) == ["a=5"])
        #expect(try fixture.all(at: 7) == ["a=5", "b=1"])
        #expect(try fixture.all() == ["a=6", "b=1"])
        #expect(throws: MVCCError.refused(.compacted(requested: 5, compactRevision: 6))) { try fixture.all(at: 5) }
    }

    @Test func `a watch from the compact revision still gets a delete made at it`() throws {
        try fixture.put("a")  // 2
        try fixture.delete("a")  // 3
        try fixture.put("b")  // 4
        try compact(through: 3)
        #expect(try fixture.changes(from: 3) == ["3.0 delete a", "4.0 put b"])
        #expect(throws: MVCCError.refused(.compacted(requested: 2, compactRevision: 3))) {
            try fixture.changes(from: 2)
        }
        #expect(try fixture.all(at: 3) == [])
        #expect(try fixture.rows() == (2, 2))
        // The next one takes it.
        try compact(through: 4)
        #expect(try fixture.rows() == (1, 1))
        #expect(try fixture.changes(from: 4) == ["4.0 put b"])
    }

    @Test func `two changes of one key in one revision survive a compaction to it together`() throws {
        try fixture.put("y", "old")
        try fixture.txn(TxnRequest(success: [.delete("y", to: "\0"), .put("y", "new")]))
        try fixture.put("z")
        try compact(through: 3)
        #expect(try fixture.changes(from: 3) == ["3.0 delete y", "3.1 put y", "4.0 put z"])
        #expect(try fixture.all(at: 3) == ["y=new"])
        try compact(through: 4)
        #expect(try fixture.all(at: 4) == ["y=new", "z=v"])
        #expect(try fixture.rows() == (2, 2))
    }

    @Test func `a key made again after its tombstone was compacted starts anew`() throws {
        try fixture.put("a")
        try fixture.delete("a")
        try fixture.put("b")
        try compact(through: 4)
        try fixture.put("a", "again")
        try fixture.checkpoint()
        #expect(try fixture.all() == ["a=again", "b=v"])
        #expect(try fixture.all(at: 4) == ["b=v"])
        #expect(try fixture.range("a").keyValues.first?.version == 1)
    }

    @Test func `compaction never takes a current entry that was written again`() throws {
        try fixture.put("a")
        try fixture.delete("a")
        try fixture.put("b")
        try fixture.compact(through: 4)
        try fixture.checkpoint()
        try fixture.put("a", "again")
        try fixture.checkpoint()
        try fixture.compactPhysically()
        #expect(try fixture.all() == ["a=again", "b=v"])
        #expect(try fixture.rows() == (2, 2))
    }

    @Test func `compaction goes no further than the last checkpoint`() throws {
        try fixture.put("a", "1")
        try fixture.put("a", "2")
        try fixture.checkpoint()
        try fixture.compact(through: 3)
        fixture.publish()
        #expect(try fixture.compactPhysically().last == .finished)
        #expect(try fixture.rows().history == 2)
        try fixture.checkpoint()
        try fixture.compactPhysically()
        #expect(try fixture.rows().history == 1)
    }

    @Test func `the cost follows the window and not the database`() throws {
        for number in 0..<5_000 { try fixture.put("k\(number)") }
        try fixture.compact(through: 5_001)
        try fixture.checkpoint()
        #expect(try fixture.compactPhysically(eventsMax: 500).slices == 10)
        for number in 0..<10 { try fixture.put("k\(number)") }
        try fixture.compact(through: 5_011)
        try fixture.checkpoint()
        #expect(try fixture.compactPhysically(eventsMax: 11).slices == 1)
        #expect(try fixture.rows() == (5_000, 5_000))
    }

    @Test func `a hold keeps history until it is released`() throws {
        try fixture.put("a", "1")
        try fixture.put("a", "2")
        try fixture.put("a", "3")
        fixture.publish()
        let hold = try fixture.reader.hold(at: 2)
        try fixture.compact(through: 4)
        try fixture.checkpoint()
        #expect(try fixture.compactPhysically().last == .held)
        #expect(try fixture.rows().history == 3)
        #expect(throws: MVCCError.refused(.compacted(requested: 2, compactRevision: 4))) {
            try fixture.reader.hold(at: 2)
        }
        hold.release()
        hold.release()
        #expect(try fixture.compactPhysically().last == .finished)
        #expect(try fixture.rows().history == 1)
    }

    @Test func `a view keeps what it can read from compaction`() throws {
        try fixture.put("a", "1")
        try fixture.put("a", "2")
        try fixture.checkpoint()
        let fixture = fixture
        try fixture.reader.withView { view throws(MVCCError) in
            do {
                try fixture.put("a", "3")
                try fixture.compact(through: 4)
                try fixture.checkpoint()
                #expect(try fixture.compactPhysically().last == .held)
            } catch { Issue.record(error) }
            #expect(try view.keyValue("a".bytes, at: 2)?.value == "1".bytes)
            #expect(try view.keyValue("a".bytes)?.value == "2".bytes)
        }
        #expect(try fixture.compactPhysically().last == .finished)
        #expect(try fixture.rows().history == 1)
    }

    @Test func `lease rows go with their events`() throws {
        fixture.leases = [LeaseID(rawValue: 5)]
        try fixture.put("a", lease: 5)
        try fixture.put("a", lease: 5)
        try fixture.put("a")
        try fixture.put("b", lease: 5)
        try compact(through: 5)
        let rows = try fixture.tables.environment.read { txn throws(TableError) in
            try fixture.tables.leaseKeys.revisions(of: LeaseID(rawValue: 5), limit: 10, in: txn)
        }
        #expect(rows == [Revision(main: 5)])
        #expect(try fixture.keys(attachedTo: 5) == ["b".bytes])
    }

    @Test func `a compaction that stopped anywhere goes on where it was`() throws {
        for number in 0..<300 {
            try fixture.put("k\(number % 7)", "\(number)")
            if number % 5 == 0 { try fixture.delete("k\(number % 7)") }
        }
        let target = fixture.revision - 20
        try fixture.compact(through: target)
        try fixture.checkpoint()
        let all = try (target...fixture.revision).map { try fixture.all(at: $0) }
        let hash = try fixture.reader.hashKV(revision: 0)
        var slices = 0
        while try fixture.store.compactor.runSlice(eventsMax: 13).progress == .unfinished {
            slices += 1
            try fixture.crash()
            #expect(try (target...fixture.revision).map { try fixture.all(at: $0) } == all)
            #expect(try fixture.reader.hashKV(revision: 0) == hash)
        }
        #expect(slices > 20)
        #expect(try fixture.rows().history < 40)
        #expect(try fixture.reader.hashKV(revision: 0) == hash)
    }
}
