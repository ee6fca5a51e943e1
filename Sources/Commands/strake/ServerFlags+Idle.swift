internal import StrakeFlags

// Flags that stand in many scripts and have nothing to act on here. Each is taken, held to its form, and named in one
// warning with its reason.
extension ServerFlags {
    static let idle: [Flag] = [
        idleMember, refusedDiscovery, idleDiscovery, idleClustering, idleTracing, idleFeatures,
    ].flatMap { $0 }

    private static func flag(
        _ name: String, _ kind: Flag.Kind, _ fallback: String?, _ help: String, _ section: String, _ reason: String,
        isSecret: Bool = false
    ) -> Flag {
        Flag(
            name: name, kind: kind, fallback: fallback, help: help, section: section, idleBecause: reason,
            isSecret: isSecret)
    }

    private static let noBbolt = "the store is not a bbolt database and has no such thing"

    private static let idleMember = [
        flag(
            "wal-dir", .string, "", "A directory for the log.", "Member",
            "the log lies in --data-dir; to have it elsewhere make data-dir/log a mount of its own"),
        flag(
            "max-snapshots", .unsigned, "5", "Snapshot files kept.", "Member",
            "there are no snapshot files: a checkpoint is written into the store"),
        flag(
            "max-wals", .unsigned, "5", "Log files kept.", "Member",
            "files of the log go as soon as nobody needs their entries"),
        flag("backend-bbolt-freelist-type", .string, "map", "How free pages are listed.", "Member", noBbolt),
        flag(
            "backend-batch-interval", .duration, "", "Longest time between commits.", "Member",
            "changes are durable in the log at once, and checkpoints have their own time"),
        flag(
            "backend-batch-limit", .integer, "0", "Most operations between commits.", "Member",
            "changes are durable in the log at once, and checkpoints have their own size"),
        flag(
            "raft-read-timeout", .duration, "5s", "A silent member's connection ends.", "Member",
            "the protocol between members has its own signs of life, one a second"),
        flag(
            "raft-write-timeout", .duration, "5s", "The same, for writing.", "Member",
            "the protocol between members has its own signs of life, one a second"),
    ]

    private static let noDiscovery = "there is no discovery: --initial-cluster names the members"

    private static let discoveryDetails: [(name: String, kind: Flag.Kind, fallback: String)] = [
        ("discovery-dial-timeout", .duration, "2s"), ("discovery-request-timeout", .duration, "5s"),
        ("discovery-keepalive-time", .duration, "2s"), ("discovery-keepalive-timeout", .duration, "6s"),
        ("discovery-insecure-transport", .bool, "true"), ("discovery-insecure-skip-tls-verify", .bool, "false"),
        ("discovery-cert", .string, ""), ("discovery-key", .string, ""), ("discovery-cacert", .string, ""),
        ("discovery-user", .string, ""), ("discovery-password", .string, ""),
        ("discovery-fallback", .choice(["exit", "proxy"]), "exit"), ("discovery-proxy", .string, ""),
        ("discovery-srv-name", .string, ""),
    ]

    private static let idleDiscovery = discoveryDetails.map { detail in
        flag(
            detail.name, detail.kind, detail.fallback, "Of cluster discovery.", "Clustering", noDiscovery,
            isSecret: detail.name == "discovery-password")
    }

    private static let refusedDiscovery = discovery.map { name in
        Flag(
            name: name, kind: .string, fallback: "",
            help: "Where members would find each other. Refused: \(noDiscovery).", section: "Clustering")
    }

    private static let idleClustering = [
        flag(
            "v2-deprecation", .choice(["not-yet", "write-only", "write-only-drop-data", "gone"]), "write-only",
            "How much of the v2 store there is.", "Clustering", "there is no v2 store")
    ]

    /// A cluster that should have been discovered must not be founded by one member alone.
    static let discovery = ["discovery-srv", "discovery-token", "discovery-endpoints"]

    private static let noTracing = "there is no tracing; /metrics has latencies by method and stage"

    private static let idleTracing = [
        flag("enable-distributed-tracing", .bool, "false", "Send traces.", "Distributed tracing", noTracing),
        flag(
            "distributed-tracing-address", .string, "localhost:4317", "Where to.", "Distributed tracing", noTracing),
        flag(
            "distributed-tracing-service-name", .string, "etcd", "Under which name.", "Distributed tracing", noTracing),
        flag("distributed-tracing-instance-id", .string, "", "Of which instance.", "Distributed tracing", noTracing),
        flag(
            "distributed-tracing-sampling-rate", .unsigned, "0", "Of a million spans.", "Distributed tracing", noTracing
        ),
    ]

    private static let idleFeatures = [
        flag(
            "enable-pprof", .bool, "false", "Serve Go's profiles.", "Monitoring",
            "this is no Go program; perf and heaptrack work on it as on any native one"),
        flag(
            "bootstrap-defrag-threshold-megabytes", .unsigned, nil, "Defragment at the start.", "Features",
            "freed pages are used again, and there is nothing to defragment"),
        flag(
            "downgrade-check-time", .duration, nil, "How often to look for a downgrade.", "Features",
            "downgrades are not supported"),
        flag(
            "unsafe-no-fsync", .bool, "false", "Acknowledge what no disk has.", "Unsafe",
            "an acknowledged write is on disk, always; for tests without a disk put --data-dir on a tmpfs"),
    ]
}
