internal import StrakeRaft
internal import Testing

/// Thousands of random steps on one seed: messages are dropped, repeated and overtaken, members crash and lose what was
/// not written, the configuration changes. `Checker` traps at the first breach of a promise of Raft; a seed that fails
/// is printed by `STRAKE_SEED=<n>` runs and becomes a test of its own.
struct RandomClusterTests {
    @Test(arguments: 0..<40)
    func `a cluster keeps its promises whatever happens, and recovers`(batch: Int) {
        for seed in (batch * 10)..<(batch * 10 + 10) {
            var run = RandomRun(seed: UInt64(seed))
            run.run(steps: 20_000)
            #expect(run.heal() == nil, "seed \(seed)")
            let c = run.cluster
            print(
                "STAT", seed, c.checker.electionCount, c.checker.lastCommitted, c.checker.readCount,
                c.members.map(\.restores).reduce(0, +), c.members.map(\.crashes).reduce(0, +),
                c.checker.configurationCount)
        }
    }
}
