internal import StrakeClient
internal import Synchronization

/// `check perf`: whether a cluster takes a given number of writes a second for a minute, none of them too slow.
enum CheckPerfCommand {
    static let flags = CheckKeys.flags(of: "performance", prefix: "/etcdctl-check-perf/")

    /// Writes a second of etcdctl's workloads.
    private static let loads = [150, 1_000, 8_000, 15_000]
    private static let seconds = 60
    private static let keyBytes = 256
    private static let valueBytes = 1_024
    private static let slowestSecondsMax = 0.5
    private static let deviationSecondsMax = 0.1

    static func run(_ context: CommandContext) async throws(CommandFailure) {
        let load = try CheckLoad(context, amounts: loads)
        let prefix = context.arguments.text("prefix")
        let client = try await context.client(isPatient: true)
        try await CheckKeys.requireNone(prefix, quote: "'", client, context)
        let result = await write(load, prefix, client)
        try await CheckKeys.remove(prefix, client, context)
        try report(result, writesPerSecond: load.amount)
    }

    // MARK: - Load

    private struct Tally: Sendable {
        var writes = 0
        var errors: [String: Int] = [:]
        var slowest = 0.0
        var sum = 0.0
        var sumOfSquares = 0.0
        var seconds = 0.0

        mutating func add(_ seconds: Double, _ error: String?) {
            if let error {
                errors[error, default: 0] += 1
                return
            }
            writes += 1
            slowest = max(slowest, seconds)
            sum += seconds
            sumOfSquares += seconds * seconds
        }

        var deviation: Double {
            guard writes > 0 else { return 0 }
            let mean = sum / Double(writes)
            return max(0, sumOfSquares / Double(writes) - mean * mean).squareRoot()
        }
    }

    /// Writes are due at even distances; each client takes the next one that is.
    private static func write(_ load: CheckLoad, _ prefix: String, _ client: StrakeClient) async -> Tally {
        let shared = Shared()
        let total = load.amount * seconds
        let clock = ContinuousClock()
        let start = clock.now
        let value = [UInt8](repeating: 0, count: valueBytes)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<load.clients {
                group.addTask {
                    while true {
                        let number = shared.next.add(1, ordering: .relaxed).oldValue
                        guard number < total else { return }
                        try? await clock.sleep(until: start + .seconds(1) * number / load.amount)
                        let began = clock.now
                        var problem: String?
                        do throws(StrakeClientError) {
                            try await client.put(CheckKeys.random(prefix, bytes: keyBytes), value)
                        } catch {
                            problem = error.goText
                        }
                        let took = began.duration(to: clock.now)
                        shared.tally.withLock { $0.add(took / .seconds(1), problem) }
                    }
                }
            }
        }
        return shared.tally.withLock { tally in
            tally.seconds = start.duration(to: clock.now) / .seconds(1)
            return tally
        }
    }

    private final class Shared: Sendable {
        let tally = Mutex(Tally())
        /// Of the writes, the next one's number.
        let next = Atomic(0)
    }

    // MARK: - Verdict

    private static func report(_ tally: Tally, writesPerSecond: Int) throws(CommandFailure) {
        var passed = tally.errors.isEmpty
        CheckKeys.report(tally.errors)
        let rate = Double(tally.writes) / max(tally.seconds, 0.001)
        let isFast = rate / Double(writesPerSecond) > 0.9
        passed = passed && isFast
        CommandOutput.line(
            isFast
                ? "PASS: Throughput is \(Int(rate) + 1) writes/s"
                : "FAIL: Throughput too low: \(Int(rate) + 1) writes/s")
        let slowest = GoText.decimal(tally.slowest, places: 6)
        passed = passed && tally.slowest <= slowestSecondsMax
        CommandOutput.line(
            tally.slowest <= slowestSecondsMax
                ? "PASS: Slowest request took \(slowest)s" : "Slowest request took too long: \(slowest)s")
        let deviation = GoText.decimal(tally.deviation, places: 6)
        passed = passed && tally.deviation <= deviationSecondsMax
        CommandOutput.line(
            tally.deviation <= deviationSecondsMax
                ? "PASS: Stddev is \(deviation)s" : "Stddev too high: \(deviation)s")
        CommandOutput.line(passed ? "PASS" : "FAIL")
        if !passed { throw CommandFailure(nil) }
    }
}
