internal import StrakeFlags

/// The flags of `strake server`: etcd's names, defaults and environment variables.
enum ServerFlags {
    static let all: [Flag] = [
        member, cluster, discovery, security, auth, http, limits, timing, compaction, connections, monitoring, logging,
        features,
        idle, other,
    ].flatMap { $0 }

    private static let member = [
        Flag(
            name: "name", kind: .string, fallback: "default", help: "Human-readable name of this member.",
            section: "Member"),
        Flag(
            name: "data-dir", kind: .string, fallback: "${name}.strake",
            help: "Directory for the log and the store; made when missing. Called as etcd: ${name}.etcd.",
            section: "Member"),
        Flag(
            name: "listen-client-urls", kind: .urls, fallback: "http://localhost:2379",
            help:
                "Where to serve clients: gRPC, health and metrics, comma-separated http, https, unix or unixs URLs.",
            section: "Member"),
        Flag(
            name: "listen-client-http-urls", kind: .optionalURLs, fallback: "",
            help: "More places to serve clients, HTTP and gRPC alike: one port has room for both.", section: "Member"),
        Flag(
            name: "listen-peer-urls", kind: .urls, fallback: "http://localhost:2380",
            help: "Where the other members reach this one, comma-separated http or https URLs.",
            section: "Member"),
        Flag(
            name: "memory-mlock", kind: .bool, fallback: "false",
            help: "Keep all memory that was touched from being swapped out; needs an unlimited ulimit -l.",
            section: "Member"),
    ]

    private static let cluster = [
        Flag(
            name: "advertise-client-urls", kind: .optionalURLs, fallback: "http://localhost:2379",
            help: "Client URLs that the member list shows.", section: "Clustering"),
        Flag(
            name: "initial-advertise-peer-urls", kind: .urls, fallback: "http://localhost:2380",
            help: "Peer URLs that the other members are told; the ids of a new cluster come from them.",
            section: "Clustering"),
        Flag(
            name: "initial-cluster", kind: .string, fallback: "default=http://localhost:2380",
            help:
                "Members at the first start, this one among them, as name=peer-url,name=peer-url,...; without it, this one alone.",
            section: "Clustering"),
        Flag(
            name: "initial-cluster-state", kind: .choice(["new", "existing"]), fallback: "new",
            help: "At the first start: 'new' founds a cluster, 'existing' joins one that this member was added to.",
            section: "Clustering"),
        Flag(
            name: "initial-cluster-token", kind: .string, fallback: "etcd-cluster",
            help: "Part of the ids of a new cluster; keeps clusters with the same URLs apart.", section: "Clustering"),
        Flag(
            name: "strict-reconfig-check", kind: .bool, fallback: "true",
            help: "Refuse changes of membership that could leave the cluster without a quorum.", section: "Clustering"),
        Flag(
            name: "force-new-cluster", kind: .bool, fallback: "false",
            help:
                "The other members are lost for good: go on alone, with the data of this one. Done once, until a start without it.",
            section: "Clustering"),
        Flag(
            name: "auto-promote-learners", kind: .bool, fallback: "false",
            help: "While this member leads, make voters of learners that have caught up. Give it to all members alike.",
            section: "Clustering"),
        Flag(
            name: "max-learners", kind: .unsigned, fallback: "1", help: "Most learners in the cluster at once.",
            section: "Clustering"),
    ]

    private static let http = [
        Flag(
            name: "enable-grpc-gateway", kind: .bool, fallback: "true",
            help: "Serve the calls as JSON over HTTP, under /v3/ at the client URLs.", section: "HTTP"),
        Flag(
            name: "cors", kind: .origins, fallback: "*",
            help: "Origins whose pages may read answers in a browser, comma-separated URLs; '*' is any.",
            section: "HTTP"),
        Flag(
            name: "host-whitelist", kind: .string, fallback: "*",
            help: "Names that clients may reach this member by without TLS, as their Host header says; '*' is any.",
            section: "HTTP"),
    ]

    private static let limits = [
        Flag(
            name: "quota-backend-bytes", kind: .integer, fallback: "0",
            help: "Bytes in use at which the NOSPACE alarm is raised; 0 is 2 GiB, below 0 is no limit.",
            section: "Limits"),
        Flag(
            name: "max-request-bytes", kind: .unsigned, fallback: "1572864",
            help: "Largest request accepted, in bytes; above 66060288 (63 MiB), that.",
            section: "Limits"),
        Flag(
            name: "max-txn-ops", kind: .unsigned, fallback: "128", help: "Most operations in one transaction.",
            section: "Limits"),
        Flag(
            name: "max-concurrent-streams", kind: .unsigned, fallback: "4294967295",
            help: "Most streams a client may have open on one connection; 0 is no limit.", section: "Limits"),
        Flag(
            name: "snapshot-count", kind: .unsigned, fallback: "10000",
            help: "Applied entries kept in the log behind the newest checkpoint, unless the next flag says how many.",
            section: "Limits"),
        Flag(
            name: "snapshot-catchup-entries", kind: .unsigned, fallback: nil,
            help: "Applied entries kept in the log for members that are behind.", section: "Limits"),
    ]

    private static let timing = [
        Flag(
            name: "heartbeat-interval", kind: .unsigned, fallback: "100",
            help: "Milliseconds between a leader's heartbeats.", section: "Timing"),
        Flag(
            name: "election-timeout", kind: .unsigned, fallback: "1000",
            help: "Milliseconds without a leader before an election; the shortest lease is 1.5 times as long.",
            section: "Timing"),
        Flag(
            name: "initial-election-tick-advance", kind: .bool, fallback: "true",
            help: "At the start, wait for a leader two heartbeats only, and not an election timeout.",
            section: "Timing"),
        Flag(
            name: "pre-vote", kind: .bool, fallback: "true",
            help: "Ask whether an election could be won before disturbing a leader with it.", section: "Timing"),
        Flag(
            name: "watch-progress-notify-interval", kind: .duration, fallback: "10m0s",
            help: "How often an idle watch that asked for it hears how far the store has come.", section: "Timing"),
    ]

    private static let auth = [
        Flag(
            name: "auth-token", kind: .string, fallback: "simple",
            help:
                "How clients' tokens are made: 'simple', or 'jwt,sign-method=M,pub-key=FILE,priv-key=FILE,ttl=10m' with M one of HS256, RS256, PS256, ES256, their 384 and 512, or EdDSA.",
            section: "Auth"),
        Flag(
            name: "auth-token-ttl", kind: .unsigned, fallback: "300",
            help: "Seconds that a client's token is good for after it was last used.", section: "Auth"),
        Flag(
            name: "bcrypt-cost", kind: .unsigned, fallback: "10",
            help: "Work that hashing a new password takes, 4 to 31; each step up doubles it.", section: "Auth"),
    ]

    private static let other = [
        Flag(
            name: "config-file", kind: .string, fallback: "",
            help: "A file that has all settings, as flag: value; flags and the environment then count for nothing.",
            section: "Other"),
        Flag(name: "version", kind: .bool, fallback: "false", help: "Print the version and exit.", section: "Other"),
    ]

    /// The page that `--help` prints.
    static func helpText(command: String) -> String {
        var text = """
            Usage:

              \(command) [flags]
                Start a member. Every flag can be set by its environment variable instead: ETCD_ and the name in
                upper case with underscores, such as ETCD_DATA_DIR. A value in both places is an error.

              \(command) --config-file FILE
                Start it with what the file says, in YAML with the flags' names as keys, and nothing else.

              \(command) --version
              \(command) --help

            Durations are written as 500ms, 10s or 1h30m, booleans as true or false, URLs as http://127.0.0.1:2379.


            """
        text += FlagSet(all).listing
        text += """

            Example:

              \(command) --name m1 --data-dir ./m1 --listen-client-urls http://127.0.0.1:2379 \\
                --advertise-client-urls http://127.0.0.1:2379

            """
        return text
    }
}
