import Glibc
import StrakeRaft
import Testing

/// Thousands of random steps on one seed: messages are dropped, repeated and overtaken, members crash and lose what was
/// not written, the configuration changes. `Checker` traps at the first breach of a promise of Raft; the last line of the
/// output then names the seed. `STRAKE_SEED` runs one seed alone.
struct RandomClusterTests {
    private static let runs: [Range<UInt64>] = {
        let chosen = getenv("STRAKE_SEED").map { text in
            guard let seed = UInt64(String(cString: text)), seed < .max else {
                preconditionFailure("STRAKE_SEED is no number: \(String(cString: text))")
            }
            return [seed..<seed + 1]
        }
        let runs = chosen ?? stride(from: 0, to: 800, by: 10).map { $0..<$0 + 10 }
        print("random clusters: seeds \(runs[0].lowerBound)...\(runs[runs.count - 1].upperBound - 1)")
        TrapReport.install()
        return runs
    }()

    @Test(arguments: runs)
    func `a cluster keeps its promises whatever happens, and recovers`(seeds: Range<UInt64>) {
        for seed in seeds {
            TrapReport.name("random cluster, seed \(seed): STRAKE_SEED=\(seed) runs it alone") {
                var run = RandomRun(seed: seed)
                run.run(steps: 20_000)
                #expect(run.heal() == nil, "STRAKE_SEED=\(seed)")
            }
        }
    }
}
