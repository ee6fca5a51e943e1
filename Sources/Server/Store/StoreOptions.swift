internal import StrakeLog

/// How a member is set up. Everything has etcd's default.
public struct StoreOptions: Sendable {
    /// etcd's default for `--quota-backend-bytes=0`.
    public static let quotaBytesDefault: Int64 = 2 << 30

    public var name = "default"
    /// Holds the log and the store; made when missing.
    public var dataDirectory: String
    public var peerURLs = ["http://localhost:2380"]
    public var clientURLs = ["http://localhost:2379"]
    public var clusterToken = "etcd-cluster"
    /// Length of a raft tick.
    public var heartbeatMilliseconds = 100
    public var electionMilliseconds = 1_000
    public var preVote = true
    /// Bytes in use at which NOSPACE is raised; `nil`: no limit.
    public var quotaBytes: Int64? = quotaBytesDefault
    /// Applied entries that stay in the log behind the newest checkpoint.
    public var retainedEntries: UInt64 = 10_000
    /// Size of a file of the log.
    package var logSegmentBytes = 16 << 20
    /// Seeds the election's jitter, lease and proposal numbers; the shell's only source of chance.
    public var seed: UInt64 = .random(in: 1...UInt64.max)
    /// Told what an operator should know, from any thread; must not call back into the store.
    public var onNotice: @Sendable (StoreNotice) -> Void = { _ in }

    public init(dataDirectory: String) {
        self.dataDirectory = dataDirectory
    }

    package var electionTicks: Int { max(2, electionMilliseconds / max(1, heartbeatMilliseconds)) }

    /// A request that waits longer is answered with a timeout: 5 s and twice the election timeout, as etcd.
    var requestTicks: UInt64 {
        UInt64((5_000 + 2 * electionMilliseconds) / max(1, heartbeatMilliseconds))
    }
}

/// Something an operator should know.
public enum StoreNotice: Sendable {
    /// What opening had to mend: a torn tail of the log.
    case repaired(String)
    case leadership(term: UInt64, isLeader: Bool)
    /// The log's directory could not take its next segment yet.
    case diskFull(String)
    /// A file of the log could not be prepared or removed, for another reason than a full disk. The log takes no more
    /// entries, so the next write stops the member.
    case logFailing(String)
    /// A read met a record that is not as it was written.
    case damage(String)
    /// The member can't go on without risking data. The process must end; everything acknowledged is on disk.
    case fatal(String)
}

extension StoreNotice {
    /// What the log's housekeeping met.
    init(housekeeping error: LogError) {
        if case .disk(let cause) = error, cause.isDiskFull {
            self = .diskFull("\(error)")
        } else {
            self = .logFailing("\(error)")
        }
    }
}
