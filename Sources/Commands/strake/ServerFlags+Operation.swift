internal import StrakeFlags

// How a member compacts, talks to its clients, tells what it does, and checks itself.
extension ServerFlags {
    static let compaction = [
        Flag(
            name: "auto-compaction-mode", kind: .string, fallback: "periodic",
            help:
                "What is compacted by itself: 'periodic' what is older than a time, 'revision' all but so many revisions.",
            section: "Compaction"),
        Flag(
            name: "auto-compaction-retention", kind: .string, fallback: "0",
            help:
                "What stays: 30m or 72h, a plain number is hours; with the mode 'revision', revisions. 0 compacts nothing.",
            section: "Compaction"),
        Flag(
            name: "compaction-batch-limit", kind: .unsigned, fallback: "2000",
            help: "Most events that physical compaction visits in one transaction.",
            section: "Compaction"),
        Flag(
            name: "compaction-sleep-interval", kind: .duration, fallback: "0s",
            help: "Pause between two such transactions.", section: "Compaction"),
    ]

    static let connections = [
        Flag(
            name: "grpc-keepalive-min-time", kind: .duration, fallback: "5s",
            help: "Clients that send pings faster are sent away with too_many_pings; 0 is 5m.", section: "Connections"),
        Flag(
            name: "grpc-keepalive-interval", kind: .duration, fallback: "2h",
            help: "A client that has been silent for so long is sent a ping; 0 is 2h.", section: "Connections"),
        Flag(
            name: "grpc-keepalive-timeout", kind: .duration, fallback: "20s",
            help: "A client that does not answer such a ping in this time is cut off; 0 is 20s.",
            section: "Connections"),
        Flag(
            name: "socket-reuse-port", kind: .bool, fallback: "false",
            help: "Several processes may listen on the same port (SO_REUSEPORT).", section: "Connections"),
        Flag(
            name: "socket-reuse-address", kind: .bool, fallback: "false",
            help: "Listen on a port whose last connections are not forgotten yet; so it is always, whatever is given.",
            section: "Connections"),
    ]

    static let monitoring = [
        Flag(
            name: "listen-metrics-urls", kind: .optionalURLs, fallback: "",
            help: "More places for /metrics, /health, /livez and /readyz, and nothing else.", section: "Monitoring"),
        Flag(
            name: "metrics", kind: .string, fallback: "basic",
            help:
                "'basic', or 'extensive': grpc_server_handling_seconds too, how long calls took by method.",
            section: "Monitoring"),
        Flag(
            name: "enable-pprof", kind: .bool, fallback: "false",
            help:
                "Serve /debug/vars to clients: the command line, the memory, and the member's place in raft. There are no "
                + "profiles: perf and heaptrack work on this as on any native program.", section: "Monitoring"),
        Flag(
            name: "warning-apply-duration", kind: .duration, fallback: "100ms",
            help: "Applying that takes longer is counted and logged.", section: "Monitoring"),
        Flag(
            name: "warning-unary-request-duration", kind: .duration, fallback: "300ms",
            help: "Requests that take longer are logged.", section: "Monitoring"),
    ]

    static let logging = [
        Flag(
            name: "logger", kind: .string, fallback: "zap", help: "'zap' is the one there is.", section: "Logging"),
        Flag(
            name: "log-level", kind: .choice(["debug", "info", "warn", "error", "panic", "fatal"]), fallback: "info",
            help: "Least important lines to log: debug, info, warn, error, panic or fatal.", section: "Logging"),
        Flag(
            name: "log-format", kind: .string, fallback: "json",
            help: "'json', an object a line, or 'console', columns.", section: "Logging"),
        Flag(
            name: "log-outputs", kind: .string, fallback: "default",
            help: "Where lines go: stderr (which default is), stdout and files, comma-separated; or systemd/journal.",
            section: "Logging"),
        Flag(
            name: "enable-log-rotation", kind: .bool, fallback: "false",
            help: "Rename the one log file when it is large, and begin a new one.", section: "Logging"),
        Flag(
            name: "log-rotation-config-json", kind: .string,
            fallback: "{\"maxsize\": 100, \"maxage\": 0, \"maxbackups\": 0, \"localtime\": false, \"compress\": false}",
            help: "How: at maxsize MiB; renamed ones stay for maxage days and number maxbackups, 0 being no limit.",
            section: "Logging"),
    ]

    static let features = [
        Flag(
            name: "feature-gates", kind: .gates(featureGates), fallback: "",
            help:
                "Gate=true,Gate=false,... CompactHashCheck=true logs that the members' stores were compared; the other "
                + "gates are known and change nothing.",
            section: "Features"),
        Flag(
            name: "corrupt-check-time", kind: .duration, fallback: "0s",
            help: "How often the members' stores are compared; 0 is every 10 heartbeats.", section: "Features"),
        Flag(
            name: "compact-hash-check-time", kind: .duration, fallback: "1m",
            help: "How often CompactHashCheck logs that they were.", section: "Features"),
    ]

    /// Those of etcd 3.7, and the two that stand for all that are not stable.
    static let featureGates = [
        "AllAlpha", "AllBeta", "CompactHashCheck", "FastLeaseKeepAlive", "InitialCorruptCheck", "LeaseCheckpoint",
        "LeaseCheckpointPersist", "PriorityRequest", "SetMemberLocalAddr", "StopGRPCServiceOnDefrag",
        "TxnModeWriteWithSharedBuffer",
    ]
}
