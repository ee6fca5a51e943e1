internal import Glibc
internal import StrakeFileCalls
internal import StrakeTemporaryDirectory

/// Runs one seed.
package struct Simulation {
    package let seed: UInt64
    package var flaw: Flaw?
    /// Takes a line for everything that happens.
    package var sink: ((String) -> Void)?

    /// The names of the kinds of faults.
    package static var faults: [String] { Fault.allCases.map(\.rawValue) }

    package init(seed: UInt64) {
        self.seed = seed
    }

    /// - Parameter directory: Where the members' stores may lie; everything made there is removed again.
    package func run(in directory: String = "/dev/shm") -> SimulationResult {
        precondition(FileCalls.areInPlace, "the executable does not export the calls that liblmdb makes")
        let scratch = TemporaryDirectory(of: "strake-simulation", in: directory)
        let cluster = SimulatedCluster(plan: Plan(seed: seed, flaw: flaw), directory: scratch.path, sink: sink)
        cluster.run()
        defer { cluster.end() }
        let summary = cluster.summary
        return SimulationResult(
            seed: seed, steps: cluster.world.trace.steps, faults: cluster.world.faults, deeds: cluster.world.deeds,
            traceHash: cluster.world.trace.hash, microseconds: cluster.world.now, operations: summary.operations,
            elections: summary.elections, entries: summary.entries, broken: cluster.world.referee.broken?.rule,
            detail: cluster.world.referee.broken?.detail)
    }
}
