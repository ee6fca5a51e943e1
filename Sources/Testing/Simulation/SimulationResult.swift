/// What one seed came to.
package struct SimulationResult: Sendable {
    package let seed: UInt64
    /// Things that happened.
    package let steps: Int
    package let faults: Tally
    /// What was done that a fault can spoil.
    package let deeds: Tally
    /// Of everything that happened: the same in every process that runs the seed.
    package let traceHash: UInt64
    /// Simulated.
    package let microseconds: Int64
    /// Requests of clients in the history that was judged.
    package let operations: Int
    package let elections: Int
    package let entries: UInt64
    /// Nil when every promise was kept.
    package let broken: Rule?
    package let detail: String?

    /// The seed, what happened, and how it ended.
    package var line: String {
        let digits = String(traceHash, radix: 16)
        let hash = String(repeating: "0", count: 16 - digits.count) + digits
        return "seed=\(seed) steps=\(steps) faults=\(faults.total) ops=\(operations) elections=\(elections) "
            + "seconds=\(microseconds / 1_000_000) trace=\(hash) " + (broken.map { "broken: \($0.rawValue)" } ?? "ok")
    }
}
