import StrakeLeases
import StrakeMVCC
import StrakeModel
import StrakeRaft
import StrakeSeededGenerator
import StrakeStateMachine
import Testing

@Suite struct ImportTests {
    private func list(_ machine: Machine, at revision: Int64) throws -> [KeyValue] {
        var request = RangeRequest(range: .all)
        request.revision = revision
        return try machine.machine.store.reader.withView { view throws(MVCCError) in
            try view.range(request).keyValues
        }
    }

    private func hash(_ machine: Machine) throws -> KVHash { try machine.machine.store.reader.hashKV(revision: 0) }

    private func revisions(of machine: Machine) -> StateBuilder.Revisions {
        let (revision, compact) = (machine.machine.store.revision, machine.machine.store.compactRevision)
        return StateBuilder.Revisions(newest: revision, compact: compact, compacted: compact)
    }

    @Test func `a store of another one's events answers the same, and goes on the same`() throws {
        let seed = SeededGenerator.seed(of: "imported stores")
        for round in 0..<8 {
            var entries = RandomEntries(seed: seed &+ UInt64(round))
            let (original, copy) = (try Machine(), try Machine())
            for _ in 0..<700 { try original.apply(entries.next()) }
            let leases = original.machine.lessor.all
            #expect(
                try copy.rebuild(of: Machine.imported(original), leases: leases, revisions: revisions(of: original)))
            #expect(copy.machine.store.revision == original.machine.store.revision)
            #expect(copy.machine.lessor.all == leases)
            // All that the history says, at its newest revision and where it is compacted.
            #expect(try hash(copy) == hash(original))
            for revision in max(1, original.machine.store.compactRevision)...original.machine.store.revision {
                #expect(try list(copy, at: revision) == list(original, at: revision))
            }
            for lease in leases {
                #expect(try keys(of: lease, copy) == keys(of: lease, original))
            }
            // Both are compacted to the end, and have nothing then that the other has not.
            let end = original.machine.store.revision
            for machine in [original, copy] {
                let next = machine.applied + 1
                try machine.apply(Entry(next.rawValue, .compact(revision: end, physical: true)))
                try machine.checkpoint()
                for _ in 0..<50 { try machine.compact(eventsMax: 100) }
                var progress: StoreAudit.Progress?
                while progress == nil { progress = try machine.advanceAudit(bytesMax: 1 << 20) }
                #expect(progress == .sound)
            }
            #expect(try hash(copy) == hash(original))
        }
    }

    private func keys(of lease: Lease, _ machine: Machine) throws -> [[UInt8]] {
        try machine.machine.store.reader.withView { view throws(MVCCError) in try view.keys(attachedTo: lease.id) }
    }

    @Test func `a revision moves on, and what is below it is compacted`() throws {
        let (original, copy) = (try Machine(), try Machine())
        for number in 2...40 as ClosedRange<UInt64> {
            try original.apply(Entry(number, .put(PutRequest(key: "key\(number % 7)".bytes, value: [UInt8(number)]))))
        }
        let now = try list(original, at: 0)
        let moved = StateBuilder.Revisions(newest: 5_000, compact: 5_000, compacted: 0)
        #expect(try copy.rebuild(of: Machine.imported(original), leases: [], revisions: moved))
        #expect(try list(copy, at: 0) == now)
        #expect(throws: MVCCError.refused(.compacted(requested: 40, compactRevision: 5_000))) {
            try list(copy, at: 40)
        }
        for _ in 0..<5 { try copy.compact(eventsMax: 100) }
        var left = copy.machine.store.transfer()
        var count = 0
        while !left.isAtEnd { count += try left.next(byteBudget: 1 << 20).count }
        #expect(count == now.count)
        #expect(try list(copy, at: 0) == now)
        try copy.apply(Entry(2, .put(PutRequest(key: "after".bytes, value: []))))
        #expect(copy.machine.store.revision == 5_001)
    }

    @Test func `events out of order are refused, and revisions that do not fit`() throws {
        let (original, copy) = (try Machine(), try Machine())
        for number in 2...9 as ClosedRange<UInt64> {
            try original.apply(Entry(number, .put(PutRequest(key: "key".bytes, value: [UInt8(number)]))))
        }
        let events = try Machine.imported(original)
        let fitting = revisions(of: original)
        #expect(try !copy.rebuild(of: events.reversed(), leases: [], revisions: fitting))
        #expect(try !copy.rebuild(of: events + [events[7]], leases: [], revisions: fitting))
        var low = fitting
        low.newest -= 1
        #expect(try !copy.rebuild(of: events, leases: [], revisions: low))
        low = fitting
        low.compact = low.newest + 1
        #expect(try !copy.rebuild(of: events, leases: [], revisions: low))
        #expect(try copy.rebuild(of: events, leases: [], revisions: fitting))
    }
}
