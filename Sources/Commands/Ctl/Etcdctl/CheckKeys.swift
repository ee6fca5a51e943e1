internal import StrakeClient

/// The keys that `check perf` and `check datascale` write, and how they go again.
enum CheckKeys {
    /// - Parameter check: As etcdctl calls it in its help.
    static func flags(of check: String, prefix: String) -> [CommandFlag] {
        [
            CommandFlag(
                "load", .text, "s",
                "The \(check) check's workload model. Accepted workloads: s(small), m(medium), l(large), xl(xLarge)",
                choices: ["s", "m", "l", "xl"]),
            CommandFlag("prefix", .text, prefix, "The prefix for writing the \(check) check's keys."),
            CommandFlag("auto-compact", .flag, "false", "Compact storage with last revision after test is finished."),
            CommandFlag("auto-defrag", .flag, "false", "Defragment storage after test is finished."),
        ]
    }

    /// A check deletes what has its prefix, so there must be nothing else.
    ///
    /// - Parameter quote: Around the advice; etcdctl's checks differ in it.
    static func requireNone(
        _ prefix: String, quote: String = "", _ client: StrakeClient, _ context: CommandContext
    ) async throws(CommandFailure) {
        var probe = RangeRequest(range: .prefix(prefix))
        probe.limit = 1
        let found = try await context.call { [probe] () async throws(StrakeClientError) in
            try await client.range(probe)
        }
        guard found.keyValues.isEmpty else {
            throw CommandFailure(
                "prefix \(GoText.quoted(prefix)) has keys. Delete with \(quote)etcdctl del --prefix \(prefix)\(quote) first",
                CommandFailure.invalidInput)
        }
    }

    /// Letters and zero bytes behind the prefix.
    ///
    /// - Parameter bytes: Without the prefix; at least 16.
    static func random(_ prefix: String, bytes: Int) -> [UInt8] {
        let number = String(UInt64.random(in: .min ... .max), radix: 16)
        return Array(prefix.utf8) + Array(number.utf8) + [UInt8](repeating: 0, count: bytes - number.utf8.count)
    }

    /// Compacts and defragments too, where the flags say so.
    static func remove(
        _ prefix: String, _ client: StrakeClient, _ context: CommandContext
    ) async throws(CommandFailure) {
        let deleted = try await context.call { () async throws(StrakeClientError) in
            try await client.delete(.prefix(prefix))
        }
        let revision = deleted.header.revision
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

    /// How often which error ended a write.
    static func report(_ errors: [String: Int]) {
        if !errors.isEmpty { CommandOutput.line("FAIL: too many errors") }
        for (error, count) in errors.sorted(by: { $0.key < $1.key }) {
            CommandOutput.line("FAIL: ERROR(\(error)) -> \(count)")
        }
    }
}
