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
    /// The members that found a cluster, this one among them. Empty: this one alone. Of no meaning once there is data.
    public var initialMembers: [InitialMember] = []
    /// The running cluster that a new member joins, instead of founding one.
    public var joining: JoinedCluster?
    /// The others are lost for good: go on alone with the data that is here. Done once, until a start without it.
    public var forceNewCluster = false
    /// Refuse changes of membership that could leave the cluster without a quorum.
    public var strictReconfiguration = true
    /// A leader makes voters of learners that have caught up, by itself.
    public var promotesLearners = false
    /// Learners that a cluster may have at once.
    public var learnersMax = 1
    /// Length of a raft tick.
    public var heartbeatMilliseconds = 100
    public var electionMilliseconds = 1_000
    public var preVote = true
    /// A client's token is good for so long after it was last used.
    public var tokenSeconds = 300
    /// Bytes in use at which NOSPACE is raised; `nil`: no limit.
    public var quotaBytes: Int64? = quotaBytesDefault
    /// Applied entries that stay in the log behind the newest checkpoint.
    public var retainedEntries: UInt64 = 10_000
    /// Entries after which the operator hears of a checkpoint again.
    public var checkpointNoticeEntries: UInt64 = 10_000
    /// A start waits for a leader two heartbeats only.
    public var hastensFirstElection = true
    /// What is compacted by itself; `nil`: nothing.
    public var autoCompaction: AutoCompaction.Policy?
    /// Events that physical compaction visits in one transaction, and its pause between two.
    public var compactionBatchEvents = 2_000
    public var compactionPauseMilliseconds = 0
    /// Applying that takes longer is counted and told.
    public var slowApplyMilliseconds = 100
    /// From one comparison of the members' states to the next; `nil`: 10 heartbeats.
    public var digestComparisonMilliseconds: Int?
    /// How often the operator hears that they were compared and agree; `nil`: never.
    public var hashCheckNoticeMilliseconds: Int?
    /// Bytes that the log of a leader may take while it keeps entries for members that catch up. At the bound they go, and
    /// such a member needs a snapshot.
    package var laggardLogBytesMax = 2 << 30
    /// Size of a file of the log.
    package var logSegmentBytes = 16 << 20
    /// Seeds the election's jitter, lease and proposal numbers; the shell's only source of chance.
    public var seed: UInt64 = .random(in: 1...UInt64.max)
    /// Told what an operator should know, from any thread; must not call back into the store.
    public var onNotice: @Sendable (StoreNotice) -> Void = { _ in }

    public init(dataDirectory: String) {
        self.dataDirectory = dataDirectory
    }

    /// What an operator does with a member whose files are of no use. It must not come back under its old id with files
    /// that lack what it has acknowledged, so it is removed, and added anew.
    ///
    /// - Parameter member: Its id; `nil` where it cannot be told.
    package func rebuildAdvice(member: UInt64?) -> String {
        let id = member.map { String($0, radix: 16) } ?? "<the id that `etcdctl member list` shows for \(name)>"
        return "To rebuild this member from the others: ask one of them to `etcdctl member remove \(id)`, remove "
            + "\(dataDirectory) here, `etcdctl member add \(name) --peer-urls=\(peerURLs.joined(separator: ","))`, and start "
            + "it with the --initial-cluster that this prints and --initial-cluster-state existing"
    }

    /// Ticks from one comparison of states to the next.
    var digestTicks: Int {
        digestComparisonMilliseconds.map { max(1, $0 / max(1, heartbeatMilliseconds)) }
            ?? DigestDesk.ticksBetweenDefault
    }

    package var electionTicks: Int { max(2, electionMilliseconds / max(1, heartbeatMilliseconds)) }

    /// A request that waits longer is answered with a timeout: 5 s and twice the election timeout, as etcd.
    var requestTicks: UInt64 {
        UInt64((5_000 + 2 * electionMilliseconds) / max(1, heartbeatMilliseconds))
    }
}

/// One of the members that found a cluster.
public struct InitialMember: Hashable, Sendable {
    public var name: String
    public var peerURLs: [String]

    public init(name: String, peerURLs: [String]) {
        self.name = name
        self.peerURLs = peerURLs
    }
}

/// What a member has to know of the cluster that it was added to.
public struct JoinedCluster: Hashable, Sendable {
    public var cluster: UInt64
    /// The id that the member was added under.
    public var member: UInt64
    /// Where the members are reached, by id, this one's own URLs included.
    public var peerURLs: [UInt64: [String]]
    /// The member was added as one that does not vote.
    public var isLearner: Bool

    public init(cluster: UInt64, member: UInt64, peerURLs: [UInt64: [String]], isLearner: Bool = false) {
        self.cluster = cluster
        self.member = member
        self.peerURLs = peerURLs
        self.isLearner = isLearner
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
    /// Members' stores differ, or this member's is the one that differs.
    case corruption(String)
    /// The cluster has removed this member, which has nothing to do any more, with who knows of it.
    case removed(String)
    /// The cluster has removed this member, which the others may still need.
    case removalPending(String)
    /// The member was made a cluster of its own, or was so before.
    case forced(String)
    /// A snapshot of the store is on its way from or to another member, or has arrived, or was given up.
    case snapshot(String)
    /// Another member did not take a snapshot, with the reason and when it is offered one again.
    case snapshotFailed(String)
    /// Something goes as it should, or slower.
    case progress(StoreProgress)
    /// A client gets a snapshot, of so many bytes.
    case backup(BackupProgress, bytes: UInt64)
    /// The member can't go on without risking data. The process must end; everything acknowledged is on disk.
    case fatal(String)
}

/// What a member has done that some wait for.
public enum StoreProgress: Sendable {
    /// A checkpoint holds everything through the entry.
    case checkpointed(index: UInt64)
    /// Another member's snapshot has become the store.
    case installed(index: UInt64)
    /// History below the revision is gone from the file.
    case compacted(revision: Int64, nanoseconds: UInt64)
    /// So many other members' states were compared with the leader's and agree with it.
    case compared(members: Int)
    case slowApply(nanoseconds: UInt64, expected: UInt64)
    case autoCompaction(AutoCompaction.Event)
}

/// How far a client's snapshot is.
public enum BackupProgress: Sendable {
    case begun
    /// All of it is on its way.
    case whole
    /// The client left before.
    case abandoned
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
