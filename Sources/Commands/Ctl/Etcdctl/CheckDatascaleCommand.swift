internal import StrakeClient
internal import Synchronization

/// `check datascale`: how much more memory a member takes when it holds a given number of keys.
enum CheckDatascaleCommand {
    static let flags = CheckKeys.flags(of: "datascale", prefix: "/etcdctl-check-datascale/")

    /// Keys of etcdctl's workloads.
    private static let loads = [10_000, 100_000, 1_000_000, 3_000_000]
    /// Of a key without the prefix, and of a value.
    private static let bytes = 1_024
    /// For a page of metrics.
    private static let patience = Duration.seconds(10)

    static func run(_ context: CommandContext) async throws(CommandFailure) {
        let load = try CheckLoad(context, amounts: loads)
        let prefix = context.arguments.text("prefix")
        let client = try await context.client(isPatient: true)
        try await CheckKeys.requireNone(prefix, client, context)
        CommandOutput.line(
            "Start data scale check for work load [\(load.amount) key-value pairs, \(bytes) bytes per key-value, "
                + "\(load.clients) concurrent clients].")
        // The first endpoint's member is looked at, as etcdctl does.
        let metrics = try Connecting(context: context, patience: patience).metrics(context.endpoints[0])
        let before = try await residentBytes(metrics, "before")
        let errors = await write(load, prefix, client)
        let after: Result<Double, CommandFailure>
        do throws(CommandFailure) {
            after = .success(try await residentBytes(metrics, "after"))
        } catch {
            after = .failure(error)
        }
        try await CheckKeys.remove(prefix, client, context)
        let used = try after.get() - before
        guard errors.isEmpty else {
            CheckKeys.report(errors)
            throw CommandFailure(nil)
        }
        let sign = used < 0 ? "-" : ""
        CommandOutput.line(
            "PASS: Approximate system memory used : \(sign)"
                + "\(GoText.decimal(used.magnitude / Double(1 << 20), places: 2)) MB.")
    }

    private static func residentBytes(_ metrics: MetricsSource, _ when: String) async throws(CommandFailure) -> Double {
        if case .success(let page) = await metrics.page(),
            let bytes = MemberMetrics(page: page).gauges[.residentBytes], bytes > 0
        {
            return bytes
        }
        CommandOutput.line("FAIL: Could not read process_resident_memory_bytes \(when) the put operations.")
        throw CommandFailure(nil)
    }

    /// - Returns: How often which error ended a write.
    private static func write(_ load: CheckLoad, _ prefix: String, _ client: StrakeClient) async -> [String: Int] {
        let shared = Shared()
        let value = [UInt8](repeating: 0, count: bytes)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<load.clients {
                group.addTask {
                    while shared.next.add(1, ordering: .relaxed).oldValue < load.amount {
                        do throws(StrakeClientError) {
                            try await client.put(CheckKeys.random(prefix, bytes: bytes), value)
                        } catch {
                            shared.errors.withLock { $0[error.goText, default: 0] += 1 }
                        }
                    }
                }
            }
        }
        return shared.errors.withLock { $0 }
    }

    private final class Shared: Sendable {
        /// Of the writes, the next one's number.
        let next = Atomic(0)
        let errors = Mutex<[String: Int]>([:])
    }
}
