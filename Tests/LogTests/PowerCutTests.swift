internal import Glibc
internal import StrakeLog
internal import StrakeRaft
internal import StrakeSimulatedDisk
internal import Testing

struct PowerCutTests {
    @Test func `after any power cut every synced batch is there and nothing else`() throws {
        let rounds = getenv("STRAKE_POWER_CUTS").flatMap { UInt64(String(cString: $0)) } ?? 500
        var totals = PowerCutRound.Totals()
        for seed in 0..<rounds {
            var round = try PowerCutRound(seed: seed)
            do {
                try round.run(&totals)
            } catch {
                Issue.record("seed \(seed): \(error)")
                return
            }
        }
        print("\(rounds) power cuts: \(totals)")
        #expect(totals.lost > 0 && totals.repaired > 0 && totals.rolls > 0 && totals.removed > 0 || rounds < 100)
    }
}
