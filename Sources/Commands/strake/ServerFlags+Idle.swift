internal import StrakeFlags

// Flags that stand in many scripts and have nothing to act on here. Each is taken, held to its form, and named in one
// warning with its reason.
extension ServerFlags {
    static let idle: [Flag] = [
        idleMember, idleDiscovery, idleClustering, idleTracing, idleFeatures,
    ].flatMap { $0 }

    private static func flag(
        _ name: String, _ kind: Flag.Kind, _ fallback: String?, _ reason: String, isSecret: Bool = false
    ) -> Flag {
        Flag(
            name: name, kind: kind, fallback: fallback, help: "", section: "", idleBecause: reason, isSecret: isSecret)
    }

    private static let idleMember = [
        flag("wal-dir", .string, "", "the log lies in --data-dir, beside the store"),
        flag(
            "max-snapshots", .unsigned, "5", "there are no snapshot files: a checkpoint is written into the store"),
        flag("max-wals", .unsigned, "5", "files of the log go as soon as nobody needs their entries"),
        flag("backend-bbolt-freelist-type", .string, "map", "the store is not a bbolt database and has no such list"),
        flag(
            "backend-batch-interval", .duration, "",
            "changes are durable in the log at once, and checkpoints have their own time"),
        flag(
            "backend-batch-limit", .integer, "0",
            "changes are durable in the log at once, and checkpoints have their own size"),
        flag(
            "raft-read-timeout", .duration, "5s", "the protocol between members has its own signs of life, one a second"
        ),
        flag(
            "raft-write-timeout", .duration, "5s",
            "the protocol between members has its own signs of life, one a second"),
    ]

    private static let noFallback = "there is no v2 discovery, which these belong to; etcd 3.6 has dropped it too"

    private static let idleDiscovery = [
        flag("discovery-fallback", .choice(["exit", "proxy"]), "exit", noFallback),
        flag("discovery-proxy", .string, "", noFallback),
    ]

    private static let idleClustering = [
        flag(
            "v2-deprecation", .choice(["not-yet", "write-only", "write-only-drop-data", "gone"]), "write-only",
            "there is no v2 store")
    ]

    private static let noTracing = "there is no tracing; /metrics has latencies by method and stage"

    private static let idleTracing = [
        flag("enable-distributed-tracing", .bool, "false", noTracing),
        flag("distributed-tracing-address", .string, "localhost:4317", noTracing),
        flag("distributed-tracing-service-name", .string, "etcd", noTracing),
        flag("distributed-tracing-instance-id", .string, "", noTracing),
        flag("distributed-tracing-sampling-rate", .unsigned, "0", noTracing),
    ]

    private static let idleFeatures = [
        flag(
            "bootstrap-defrag-threshold-megabytes", .unsigned, nil,
            "freed pages are used again, and there is nothing to defragment"),
        flag("downgrade-check-time", .duration, nil, "downgrades are not supported"),
        flag(
            "unsafe-no-fsync", .bool, "false",
            "an acknowledged write is on disk, always; for tests without a disk put --data-dir on a tmpfs"),
    ]
}
