import StrakeLeases
import StrakeModel
import StrakeSeededGenerator
import Testing

@Suite struct LeaseClockTests {
    private func id(_ number: Int64) -> LeaseID { LeaseID(rawValue: number) }

    /// A leader's clock at time 0 with no election timeout.
    private func leader(_ leases: [Lease] = []) -> LeaseClock {
        var clock = LeaseClock(leases)
        clock.promote(now: 0, electionTimeout: 0)
        return clock
    }

    @Test func `a lease expires when its time is up, and is offered once`() {
        var clock = leader()
        clock.granted(Lease(id: id(1), ttl: 2), now: 500)
        #expect(clock.remaining(of: id(1), now: 600) == 1_900)
        #expect(clock.expired(now: 2_499) == [])
        #expect(clock.expired(now: 2_500) == [id(1)])
        #expect(clock.expired(now: 9_000) == [])
        clock.revoked(id(1))
        #expect(clock.remaining(of: id(1), now: 9_000) == nil)
        #expect(clock.count == 0)
    }

    @Test func `an expiry whose proposal failed is offered again`() {
        var clock = leader()
        clock.granted(Lease(id: id(1), ttl: 2), now: 0)
        #expect(clock.expired(now: 2_000) == [id(1)])
        clock.expiryFailed([id(1), id(1), id(7)])
        #expect(clock.expired(now: 2_001) == [id(1)])
        #expect(clock.expired(now: 2_002) == [])
    }

    @Test func `a keep-alive gives the whole time again`() {
        var clock = leader()
        clock.granted(Lease(id: id(1), ttl: 10), now: 0)
        #expect(clock.keepAlive(id(1), now: 9_999) == .renewed(ttl: 10))
        #expect(clock.expired(now: 19_998) == [])
        #expect(clock.expired(now: 19_999) == [id(1)])
    }

    @Test func `a keep-alive of no lease, or after its time, finds none`() {
        var clock = leader()
        clock.granted(Lease(id: id(1), ttl: 2), now: 0)
        #expect(clock.keepAlive(id(77), now: 1) == .unknown)
        #expect(clock.keepAlive(id(1), now: 2_000) == .unknown)
        #expect(clock.expired(now: 2_000) == [id(1)])
        #expect(clock.keepAlive(id(1), now: 2_000) == .unknown)
    }

    @Test func `a member that does not lead expires nothing and answers nothing`() {
        var clock = LeaseClock([Lease(id: id(1), ttl: 2)])
        clock.granted(Lease(id: id(2), ttl: 2), now: 0)
        #expect(clock.expired(now: 99_000) == [])
        #expect(clock.keepAlive(id(1), now: 0) == .notLeading)
        #expect(clock.remaining(of: id(1), now: 0) == nil)
        #expect(clock.checkpointsDue(now: 99_000) == [])
        clock.promote(now: 0, electionTimeout: 0)
        #expect(clock.expired(now: 2_001).count == 2)
        clock.demote()
        clock.expiryFailed([id(1)])
        #expect(clock.expired(now: 99_000) == [])
        // A new term begins anew.
        clock.promote(now: 100_000, electionTimeout: 1_000)
        #expect(clock.expired(now: 102_999) == [])
        #expect(clock.expired(now: 103_001).count == 2)
    }

    @Test func `a new leader gives what was left at the checkpoint and an election timeout`() {
        var clock = LeaseClock([Lease(id: id(1), ttl: 60, remaining: 20), Lease(id: id(2), ttl: 60)])
        clock.checkpointed([LeaseCheckpoint(id: id(2), remainingSeconds: 40)])
        clock.promote(now: 5_000, electionTimeout: 1_000)
        #expect(clock.remaining(of: id(1), now: 5_000) == 21_000)
        #expect(clock.remaining(of: id(2), now: 5_000) == 41_000)
        #expect(clock.idsByDeadline() == [id(1), id(2)])
    }

    @Test func `no more than a thousand leases expire in a second`() {
        var clock = leader()
        for number in 1...5_000 as ClosedRange<Int64> { clock.granted(Lease(id: id(number), ttl: 2), now: 0) }
        var perSecond: [Int] = []
        for second in 2..<9 as Range<Int64> {
            perSecond.append((0..<10).reduce(0) { $0 + clock.expired(now: second * 1_000 + Int64($1) * 100).count })
        }
        #expect(perSecond.reduce(0, +) == 5_000)
        // The allowance saved up before the first second comes on top.
        #expect(perSecond[0] < 2_000)
        #expect(perSecond[1...].allSatisfy { $0 <= 1_000 })
        #expect(clock.expired(now: 9_000, max: 10) == [])
    }

    @Test func `a call takes at most as many as asked for`() {
        var clock = leader()
        for number in 1...50 as ClosedRange<Int64> { clock.granted(Lease(id: id(number), ttl: 2), now: 0) }
        #expect(clock.expired(now: 2_000, max: 30).count == 30)
        #expect(clock.expired(now: 2_000, max: 30).count == 20)
    }

    @Test func `a pile-up at promotion is spread, and no lease ends earlier for it`() {
        let leases = (1...4_500 as ClosedRange<Int64>).map { Lease(id: id($0), ttl: 5) }
        var clock = LeaseClock(leases + [Lease(id: id(9_000), ttl: 100)])
        clock.promote(now: 0, electionTimeout: 1_000)
        var counts: [Int64: Int] = [:]
        for lease in leases {
            let left = clock.remaining(of: lease.id, now: 0)!
            #expect(left >= 6_000)
            counts[left / 1_000, default: 0] += 1
        }
        #expect(counts == [6: 1_000, 7: 1_000, 8: 1_000, 9: 1_000, 10: 500])
        #expect(clock.remaining(of: id(9_000), now: 0) == 101_000)
    }

    @Test func `many grants and revokes leave no trace`() {
        var clock = leader()
        for number in 1...200_000 as ClosedRange<Int64> {
            clock.granted(Lease(id: id(number), ttl: 9_000_000), now: number)
            clock.revoked(id(number))
        }
        #expect(clock.pendingItems < 5_000)
        #expect(clock.expired(now: 1 << 50) == [])
    }

    @Test(
        "nothing ends early while it is kept alive, and what is not ends in time",
        arguments: Array(1...20) as [UInt64])
    func conversation(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var clock = leader()
        var now: Int64 = 0
        /// Deadlines that hold at the least, by lease.
        var model: [LeaseID: (ttl: Int64, deadline: Int64)] = [:]
        var expiring: Set<LeaseID> = []
        var replicated: [LeaseID: Int64] = [:]
        for _ in 0..<5_000 {
            now += Int64.random(in: 0...400, using: &random)
            let chosen = id(Int64.random(in: 1...40, using: &random))
            switch Int.random(in: 0..<20, using: &random) {
            case 0..<6 where model[chosen] == nil:
                let ttl = Int64.random(in: 2...30, using: &random)
                clock.granted(Lease(id: chosen, ttl: ttl), now: now)
                model[chosen] = (ttl, now + ttl * 1_000)
                replicated[chosen] = ttl
            case 0..<10:
                let answer = clock.keepAlive(chosen, now: now)
                guard let lease = model[chosen], lease.deadline > now, !expiring.contains(chosen) else {
                    #expect(answer == .unknown)
                    continue
                }
                // After a change of leader it may have had more.
                model[chosen] = (lease.ttl, max(lease.deadline, now + lease.ttl * 1_000))
                guard case .renewing(let renewal) = answer else {
                    #expect(answer == .renewed(ttl: lease.ttl))
                    // A change of leader must not take the time away again.
                    #expect(replicated[chosen] == lease.ttl)
                    continue
                }
                replicated[chosen] = lease.ttl
                clock.checkpointed([renewal.checkpoint])
                clock.renewalCommitted(renewal)
            case 10:
                clock.revoked(chosen)
                model[chosen] = nil
                expiring.remove(chosen)
            case 11:
                clock.expiryFailed([chosen])
                expiring.remove(chosen)
            case 12: check(clock.checkpointsDue(now: now), &clock, model, &replicated, now)
            case 13 where Int.random(in: 0..<10, using: &random) == 0:
                clock.demote()
                clock.promote(now: now, electionTimeout: 1_000)
                expiring = []
                for (id, lease) in model {
                    let deadline = now + replicated[id]! * 1_000 + 1_000
                    #expect(deadline >= lease.deadline, "a change of leader took time away")
                    model[id] = (lease.ttl, now + clock.remaining(of: id, now: now)!)
                }
            default:
                let ids = clock.expired(now: now, max: 5)
                #expect(Set(ids).count == ids.count)
                for id in ids {
                    #expect(model[id].map { $0.deadline <= now } == true, "\(id.rawValue) ended early")
                    #expect(expiring.insert(id).inserted, "\(id.rawValue) offered twice")
                }
                let overdue = model.filter { $0.value.deadline <= now && !expiring.contains($0.key) }
                #expect(ids.count == 5 || overdue.isEmpty)
            }
        }
    }

    /// Checkpoints say what is left, never less, and apply at once here.
    private func check(
        _ batch: [LeaseCheckpoint], _ clock: inout LeaseClock, _ model: [LeaseID: (ttl: Int64, deadline: Int64)],
        _ replicated: inout [LeaseID: Int64], _ now: Int64
    ) {
        for checkpoint in batch {
            let left = model[checkpoint.id]!.deadline - now
            #expect(checkpoint.remainingSeconds * 1_000 >= left)
            #expect(checkpoint.remainingSeconds * 1_000 < left + 1_000)
            replicated[checkpoint.id] = checkpoint.remainingSeconds
        }
        clock.checkpointed(batch)
    }
}
