internal import Glibc
internal import StrakeLog
internal import StrakeRaft
internal import StrakeSimulatedDisk
internal import Testing

private func setting(_ name: String) -> UInt64? {
    getenv(name).flatMap { UInt64(String(cString: $0)) }
}

struct PowerCutTests {
    @Test func `after any power cut every synced batch is there and nothing else`() throws {
        let rounds = setting("STRAKE_POWER_CUTS") ?? 500
        let first = setting("STRAKE_POWER_CUTS_FIRST_SEED") ?? 0
        var totals = PowerCutRound.Totals()
        for seed in first..<(first + rounds) {
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
