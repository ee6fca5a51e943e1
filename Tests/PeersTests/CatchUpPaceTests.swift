internal import StrakePeers
internal import Testing

struct CatchUpPaceTests {
    private static let second: Int64 = 1_000_000_000
    private static let bytes = 1 << 20
    private static let entries = 1_024

    /// What was told while clients wrote so much for ten seconds.
    private func rate(_ writesPerSecond: UInt64) -> WriteRate {
        var rate = WriteRate()
        for tick: UInt64 in 0...10 { rate.add(tick * writesPerSecond, at: Int64(tick) * Self.second) }
        return rate
    }

    /// Sends batches as soon as each is due, to a member that is `behind` entries behind, while others commit; returns the
    /// seconds that it takes until the member is near, or nil when it is not within ten minutes.
    private func seconds(behind: UInt64, committingPerSecond writes: UInt64) -> Double? {
        let rate = rate(writes)
        var pace = CatchUpPace()
        var (now, sent): (Int64, UInt64) = (0, 1_000_000)
        let start = sent + behind
        while now < 600 * Self.second {
            let committed = start + UInt64(Double(writes) * Double(now) / Double(Self.second))
            guard committed > sent + UInt64(Self.entries) else { return Double(now) / Double(Self.second) }
            sent += UInt64(Self.entries)
            let batch = CatchUpPace.Batch(bytes: Self.bytes, entries: Self.entries, last: sent, committed: committed)
            // A batch takes a millisecond by itself.
            now += 1_000_000 + pace.pause(after: batch, at: now, beside: rate)
        }
        return nil
    }

    @Test func `on an idle cluster, and on one with few writes, nothing is held back`() throws {
        for rate: UInt64 in [0, 100, 2_000] {
            let took = try #require(seconds(behind: 500_000, committingPerSecond: rate))
            #expect(took < 0.5, "\(rate) writes a second")
        }
    }

    @Test(arguments: [10_000, 30_000, 300_000] as [UInt64])
    func `on a busy cluster the member gains at the bound, however fast that is`(rate: UInt64) throws {
        let behind: UInt64 = 500_000
        let entryBytes = Self.bytes / Self.entries + CatchUpPace.entryBytes
        let expected = Double(Int(behind) * entryBytes) / Double(CatchUpPace.gainBytesPerSecond)
        let took = try #require(seconds(behind: behind, committingPerSecond: rate))
        #expect(took > expected * 0.95 && took < expected * 1.05, "\(took) s, expected \(expected)")
    }

    @Test func `clients that are held up just now count as busy`() {
        var rate = rate(30_000)
        rate.add(300_100, at: 11 * Self.second)
        #expect(rate.newest == 100 && rate.highest == 30_000)
        var pace = CatchUpPace()
        let batch = CatchUpPace.Batch(bytes: Self.bytes, entries: Self.entries, last: 1, committed: 100_000)
        #expect(pace.pause(after: batch, at: Self.second, beside: rate) > 0)
        // Until that is long ago.
        for tick: UInt64 in 12...20 { rate.add(300_100 + (tick - 11) * 100, at: Int64(tick) * Self.second) }
        #expect(rate.highest == 100)
        #expect(pace.pause(after: batch, at: 2 * Self.second, beside: rate) == 0)
    }

    @Test func `a member that is near, or ahead of what is committed, does not wait`() {
        let rate = rate(30_000)
        var pace = CatchUpPace()
        for number: Int64 in 0..<100 {
            let committed = 1_000_000 + UInt64(number) * 3_000
            for last in [committed - CatchUpPace.entriesBehindMin, committed, committed + 50_000] {
                let batch = CatchUpPace.Batch(
                    bytes: Self.bytes, entries: Self.entries, last: last, committed: committed)
                #expect(pace.pause(after: batch, at: number * Self.second / 10, beside: rate) == 0)
            }
        }
        let empty = CatchUpPace.Batch(bytes: 0, entries: 0, last: 0, committed: 100_000)
        #expect(pace.pause(after: empty, at: Self.second, beside: rate) == 0)
    }

    @Test func `a count that begins anew tells nothing of the time before`() {
        var rate = rate(30_000)
        rate.add(5, at: 11 * Self.second)
        #expect(rate.newest == 30_000)
        rate.add(1_005, at: 12 * Self.second)
        #expect(rate.newest == 1_000)
    }
}
