internal import StrakeClient
internal import Synchronization

/// `make-mirror`: copies keys to another cluster, and then each change as it comes.
enum MirrorCommand {
    static let flags = [
        CommandFlag("prefix", .text, "", "Key-value prefix to mirror"),
        CommandFlag(
            "dest-prefix", .text, "",
            "destination prefix to mirror a prefix to a different prefix in the destination cluster"),
        CommandFlag("no-dest-prefix", .flag, "false", "mirror key-values to the root of the destination cluster"),
        CommandFlag("dest-cacert", .text, "", "authorities that the destination's certificates come from, PEM"),
        CommandFlag("dest-cert", .text, "", "certificate to show to the destination, PEM"),
        CommandFlag("dest-key", .text, "", "key of --dest-cert, PEM"),
        CommandFlag("dest-insecure-transport", .flag, "true", "without TLS where the destination has no scheme"),
        CommandFlag("dest-user", .text, "", "the destination's username[:password] (asked for if it is not given)"),
        CommandFlag("dest-password", .text, "", "the destination's password; --dest-user is the name alone then"),
        CommandFlag("rev", .integer, "0", "Specify the kv revision to start to mirror"),
    ]
    private static let pageKeys: Int64 = 1_000
    private static let reportSeconds = 30

    static func run(_ context: CommandContext) async throws(CommandFailure) {
        guard context.words.count == 1 else { throw .arguments("make-mirror takes one destination argument") }
        let prefix = Array(context.arguments.text("prefix").utf8)
        var target = Array(context.arguments.text("dest-prefix").utf8)
        let dropsPrefix = context.arguments.flag("no-dest-prefix")
        guard !dropsPrefix || target.isEmpty else {
            throw .arguments("`--dest-prefix` and `--no-dest-prefix` cannot be set at the same time, choose one")
        }
        if !dropsPrefix && target.isEmpty { target = prefix }
        let mirror = Mirror(
            source: try await context.client(isPatient: true),
            destination: try await context.client(to: [context.words[0]], flagPrefix: "dest-", isPatient: true),
            prefix: prefix, target: target)
        let reporting = Task {
            while !Task.isCancelled {
                try await Task.sleep(for: .seconds(reportSeconds))
                CommandOutput.line("\(mirror.total.load(ordering: .relaxed))")
            }
        }
        defer { reporting.cancel() }
        let revision = context.arguments.integer("rev")
        try await context.call { () async throws(StrakeClientError) in
            let next = revision > 0 ? revision : try await mirror.copyAll(pageKeys: pageKeys) + 1
            try await mirror.follow(from: next)
        }
    }
}

private final class Mirror: Sendable {
    private let source: StrakeClient
    private let destination: StrakeClient
    private let prefix: [UInt8]
    private let target: [UInt8]
    /// Keys that were written or deleted.
    let total = Atomic<Int64>(0)

    init(source: StrakeClient, destination: StrakeClient, prefix: [UInt8], target: [UInt8]) {
        self.source = source
        self.destination = destination
        self.prefix = prefix
        self.target = target
    }

    private func renamed(_ key: [UInt8]) -> [UInt8] { target + key.dropFirst(prefix.count) }

    /// What is there at one revision, which is returned.
    func copyAll(pageKeys: Int64) async throws(StrakeClientError) -> Int64 {
        var request = RangeRequest(range: .prefix(prefix))
        request.limit = pageKeys
        while true {
            let page = try await source.range(request)
            if request.revision == 0 { request.revision = page.header.revision }
            for pair in page.keyValues {
                try await destination.put(renamed(pair.key), pair.value)
                total.add(1, ordering: .relaxed)
            }
            guard page.more, let last = page.keyValues.last else { return request.revision }
            request.range.lower = last.key + [0]
        }
    }

    /// Each revision in one transaction.
    func follow(from revision: Int64) async throws(StrakeClientError) {
        var options = WatchOptions()
        options.revision = revision
        var changes = try await source.watch(.prefix(prefix), options).makeAsyncIterator()
        while let response = try await changes.next() {
            var events = response.events[...]
            while let revision = events.first?.keyValue.modRevision {
                let group = events.prefix { $0.keyValue.modRevision == revision }
                events = events.dropFirst(group.count)
                var request = TxnRequest()
                request.success = group.map { event in
                    let key = renamed(event.keyValue.key)
                    return event.kind == .put ? .put(key, event.keyValue.value) : .delete(key)
                }
                _ = try await destination.txn(request)
                total.add(Int64(group.count), ordering: .relaxed)
            }
        }
    }
}
