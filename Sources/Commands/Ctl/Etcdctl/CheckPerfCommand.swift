internal import StrakeClient
internal import Synchronization

/// `check perf`: whether a cluster takes a given number of writes a second for a minute, none of them too slow.
enum CheckPerfCommand {
    static let flags = [
        CommandFlag(
            "load", .text, "s",
            "The performance check's workload model. Accepted workloads: s(small), m(medium), l(large), xl(xLarge)"),
        CommandFlag(
            "prefix", .text, "/etcdctl-check-perf/", "The prefix for writing the performance check's keys."),
        CommandFlag(
            "auto-compact", .flag, "false", "Compact storage with last revision after test is finished."),
        CommandFlag("auto-defrag", .flag, "false", "Defragment storage after test is finished."),
    ]

    /// etcdctl's workloads.
    private struct Load {
        var writesPerSecond: Int
        var clients: Int
        var seconds = 60
    }

    private static let keyBytes = 256
    private static let valueBytes = 1_024
    private static let slowestSecondsMax = 0.5
    private static let deviationSecondsMax = 0.1

    private static func load(_ name: String) -> Load? {
        switch name {
        case "s", "small": Load(writesPerSecond: 150, clients: 50)
        case "m", "medium": Load(writesPerSecond: 1_000, clients: 200)
        case "l", "large": Load(writesPerSecond: 8_000, clients: 500)
        case "xl", "xLarge": Load(writesPerSecond: 15_000, clients: 1_000)
        default: nil
        }
    }

    static func run(_ context: CommandContext) async throws(CommandFailure) {
        let name = context.arguments.text("load")
        guard let load = Self.load(name) else {
            throw CommandFailure("unknown load option \(name)", CommandFailure.badFeature)
        }
        let prefix = context.arguments.text("prefix")
        let client = try await context.client(isPatient: true)
        var probe = RangeRequest(range: .prefix(prefix))
        probe.limit = 1
        let found = try await context.call { [probe] () async throws(StrakeClientError) in
            try await client.range(probe)
        }
        guard found.keyValues.isEmpty else {
            throw CommandFailure(
                "prefix \(GoText.quoted(prefix)) has keys. Delete with etcdctl del --prefix \(prefix) first",
                CommandFailure.invalidInput)
        }
        let result = await write(load, prefix, client)
        let deleted = try await context.call { () async throws(StrakeClientError) in
            try await client.delete(.prefix(prefix))
        }
        try await tidyUp(context, client, deleted.header.revision)
        try report(result, load)
    }

    private static func tidyUp(
        _ context: CommandContext, _ client: StrakeClient, _ revision: Int64
    ) async throws(CommandFailure) {
        if context.arguments.flag("auto-compact") {
            CommandOutput.line("Compacting with revision \(revision)")
            _ = try await context.call { () async throws(StrakeClientError) in
                try await client.compact(through: revision, isPhysical: true)
            }
            CommandOutput.line("Compacted with revision \(revision)")
        }
        guard context.arguments.flag("auto-defrag") else { return }
        for endpoint in context.endpoints {
            CommandOutput.line("Defragmenting \(GoText.quoted(endpoint))")
            _ = try await context.call { () async throws(StrakeClientError) in try await client.defragment(endpoint) }
            CommandOutput.line("Defragmented \(GoText.quoted(endpoint))")
        }
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
    private static func write(_ load: Load, _ prefix: String, _ client: StrakeClient) async -> Tally {
        let shared = Shared()
        let total = load.writesPerSecond * load.seconds
        let clock = ContinuousClock()
        let start = clock.now
        let value = [UInt8](repeating: 0, count: valueBytes)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<load.clients {
                group.addTask {
                    while true {
                        let number = shared.next.add(1, ordering: .relaxed).oldValue
                        guard number < total else { return }
                        try? await clock.sleep(until: start + .seconds(1) * number / load.writesPerSecond)
                        let began = clock.now
                        var problem: String?
                        do throws(StrakeClientError) {
                            try await client.put(key(prefix), value)
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

    private static func key(_ prefix: String) -> [UInt8] {
        var key = Array(prefix.utf8) + Array(String(UInt64.random(in: .min ... .max), radix: 16).utf8)
        key += [UInt8](repeating: 0, count: max(0, prefix.utf8.count + keyBytes - key.count))
        return key
    }

    // MARK: - Verdict

    private static func report(_ tally: Tally, _ load: Load) throws(CommandFailure) {
        var passed = tally.errors.isEmpty
        if !passed { CommandOutput.line("FAIL: too many errors") }
        for (error, count) in tally.errors.sorted(by: { $0.key < $1.key }) {
            CommandOutput.line("FAIL: ERROR(\(error)) -> \(count)")
        }
        let rate = Double(tally.writes) / max(tally.seconds, 0.001)
        let isFast = rate / Double(load.writesPerSecond) > 0.9
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
