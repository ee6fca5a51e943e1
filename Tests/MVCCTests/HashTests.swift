import StrakeMVCC
import StrakeModel
import Testing

struct HashTests {
    /// A hundred requests, the same for every store.
    private func write(_ fixture: StoreFixture, checkpointEvery: Int, last: String = "end") throws {
        for number in 0..<100 {
            try fixture.put("k\(number % 9)", "\(number)")
            if number % 4 == 0 { try fixture.delete("k\(number % 9)", to: "k\(number % 9 + 2)") }
            if number == 60 { try fixture.compact(through: 40) }
            if number % checkpointEvery == 0 { try fixture.checkpoint() }
        }
        try fixture.put("last", last)
        fixture.publish()
    }

    @Test func `stores with the same commands agree whatever they have written and compacted`() throws {
        let early = try StoreFixture()
        try write(early, checkpointEvery: 7)
        try early.checkpoint()
        let late = try StoreFixture()
        try write(late, checkpointEvery: 1_000)
        let compacted = try StoreFixture()
        try write(compacted, checkpointEvery: 50)
        try compacted.checkpoint()
        try compacted.compactPhysically()
        let expected = try early.reader.hashKV(revision: 0)
        #expect(expected.compactRevision == 40 && expected.hashRevision == early.revision)
        #expect(try late.reader.hashKV(revision: 0) == expected)
        #expect(try compacted.reader.hashKV(revision: 0) == expected)
        let middle = try early.reader.hashKV(revision: 50)
        #expect(try compacted.reader.hashKV(revision: 50) == middle)
        #expect(middle.hash != expected.hash)
        #expect(try early.reader.hash() == expected.hash)
    }

    @Test func `a difference anywhere changes the hash`() throws {
        let one = try StoreFixture()
        try write(one, checkpointEvery: 30)
        let other = try StoreFixture()
        try write(other, checkpointEvery: 30, last: "END")
        #expect(try one.reader.hashKV(revision: 0).hash != other.reader.hashKV(revision: 0).hash)
        let revision = one.revision - 1
        #expect(try one.reader.hashKV(revision: revision) == other.reader.hashKV(revision: revision))
    }

    @Test func `a hash below the compact revision or above the newest is refused`() throws {
        let fixture = try StoreFixture()
        try write(fixture, checkpointEvery: 30)
        #expect(throws: MVCCError.refused(.compacted(requested: 39, compactRevision: 40))) {
            try fixture.reader.hashKV(revision: 39)
        }
        #expect(try fixture.reader.hashKV(revision: 40).hashRevision == 40)
        #expect(throws: MVCCError.self) { try fixture.reader.hashKV(revision: 1_000) }
        #expect(try StoreFixture().reader.hashKV(revision: 0).hash == 0)
    }
}
