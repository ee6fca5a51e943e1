import StrakeLeases
import StrakeModel
import Testing

@Suite struct LeaseCheckpointTests {
    private func id(_ number: Int64) -> LeaseID { LeaseID(rawValue: number) }

    private func leader(_ leases: [Lease]) -> LeaseClock {
        var clock = LeaseClock(leases)
        clock.promote(now: 0, electionTimeout: 0)
        return clock
    }

    /// Checkpoints handed out and applied, a second apart, as `id: seconds`.
    private func run(_ clock: inout LeaseClock, from start: Int64, through end: Int64) -> [Int64: [Int64: Int64]] {
        var seen: [Int64: [Int64: Int64]] = [:]
        for second in start...end {
            let batch = clock.checkpointsDue(now: second * 1_000)
            clock.checkpointed(batch)
            for checkpoint in batch { seen[checkpoint.id.rawValue, default: [:]][second] = checkpoint.remainingSeconds }
        }
        return seen
    }

    @Test func `a lease that nobody keeps alive is checkpointed every five seconds`() {
        var clock = leader([Lease(id: id(1), ttl: 22)])
        #expect(run(&clock, from: 1, through: 30) == [1: [5: 17, 10: 12, 15: 7, 20: 2]])
    }

    @Test func `a long lease is checkpointed every hundredth of its time`() {
        var clock = leader([Lease(id: id(1), ttl: 3_600)])
        #expect(run(&clock, from: 1, through: 100) == [1: [36: 3_564, 72: 3_528]])
    }

    @Test func `short leases and those kept alive in time are not checkpointed`() {
        var clock = leader([Lease(id: id(1), ttl: 5), Lease(id: id(2), ttl: 60)])
        var seen: [Int64: [Int64: Int64]] = [:]
        for round in 0..<10 as Range<Int64> {
            #expect(clock.keepAlive(id(2), now: round * 20_000) == .renewed(ttl: 60))
            seen.merge(run(&clock, from: round * 20 + 1, through: round * 20 + 20)) { first, _ in first }
        }
        #expect(seen == [:])
        // From half of its time on it counts as left alone.
        #expect(run(&clock, from: 201, through: 215) == [2: [210: 30, 215: 25]])
    }

    @Test func `a restart carries on from the last checkpoint`() throws {
        var lessor = Lessor()
        try lessor.grant(id(1), ttl: 60)
        var clock = leader(lessor.all)
        for second in 1...23 as ClosedRange<Int64> {
            let batch = clock.checkpointsDue(now: second * 1_000)
            lessor.checkpoint(batch)
            clock.checkpointed(batch)
        }
        var restarted = LeaseClock(lessor.all)
        restarted.promote(now: 700, electionTimeout: 1_000)
        #expect(restarted.remaining(of: id(1), now: 700) == 41_000)
    }

    @Test func `a clean shutdown carries all remaining times over`() {
        var clock = leader((1...2_500 as ClosedRange<Int64>).map { Lease(id: id($0), ttl: 30 + $0) })
        _ = clock.keepAlive(id(7), now: 3_500)
        let batches = clock.shutdownCheckpoints(now: 3_500)
        #expect(batches.map(\.count) == [1_000, 1_000, 499])
        #expect(batches.joined().allSatisfy { $0.remainingSeconds == 30 + $0.id.rawValue - 3 })
        #expect(!batches.joined().contains { $0.id == id(7) })
    }

    @Test func `a batch is bounded and batches are a second apart`() {
        var clock = leader((1...2_500 as ClosedRange<Int64>).map { Lease(id: id($0), ttl: 100) })
        #expect(clock.checkpointsDue(now: 4_999) == [])
        var seen: Set<LeaseID> = []
        for (now, count) in [(5_000, 1_000), (5_900, 0), (6_000, 1_000), (7_000, 500), (8_000, 0)] as [(Int64, Int)] {
            let batch = clock.checkpointsDue(now: now)
            #expect(batch.count == count)
            seen.formUnion(batch.map(\.id))
        }
        #expect(seen.count == 2_500)
    }

    @Test func `the first keep-alive after a checkpoint waits for the log, the next does not`() throws {
        var clock = leader([Lease(id: id(1), ttl: 30)])
        #expect(run(&clock, from: 1, through: 5) == [1: [5: 25]])
        let answer = clock.keepAlive(id(1), now: 6_000)
        let renewal = try #require(answer.renewal)
        #expect(renewal.checkpoint == LeaseCheckpoint(id: id(1), remainingSeconds: 30))
        // Not committed yet: the next one must wait, too.
        #expect(clock.keepAlive(id(1), now: 7_000).renewal != nil)
        clock.checkpointed([renewal.checkpoint])
        clock.renewalCommitted(renewal)
        #expect(clock.keepAlive(id(1), now: 8_000) == .renewed(ttl: 30))
    }

    @Test func `a checkpoint handed out behind a renewal is not forgotten when the renewal commits`() throws {
        var clock = leader([Lease(id: id(1), ttl: 30)])
        #expect(clock.checkpointsDue(now: 5_000).count == 1)
        let answer = clock.keepAlive(id(1), now: 6_000)
        let renewal = try #require(answer.renewal)
        let late = clock.checkpointsDue(now: 21_000)
        #expect(late == [LeaseCheckpoint(id: id(1), remainingSeconds: 15)])
        clock.checkpointed([renewal.checkpoint])
        clock.renewalCommitted(renewal)
        #expect(clock.keepAlive(id(1), now: 21_500).renewal != nil)
    }

    @Test func `a checkpoint in flight counts as made`() {
        var clock = leader([Lease(id: id(1), ttl: 30)])
        #expect(clock.checkpointsDue(now: 5_000).count == 1)
        #expect(clock.keepAlive(id(1), now: 5_001).renewal != nil)
    }

    @Test func `a new leader renews what an old one's checkpoint had shortened`() {
        var clock = leader([Lease(id: id(1), ttl: 30, remaining: 10), Lease(id: id(2), ttl: 30)])
        #expect(clock.keepAlive(id(1), now: 1).renewal != nil)
        #expect(clock.keepAlive(id(2), now: 1) == .renewed(ttl: 30))
        // From elsewhere.
        clock.checkpointed([LeaseCheckpoint(id: id(2), remainingSeconds: 3)])
        #expect(clock.keepAlive(id(2), now: 2).renewal != nil)
    }
}

extension KeepAlive {
    fileprivate var renewal: LeaseRenewal? {
        if case .renewing(let renewal) = self { renewal } else { nil }
    }
}
