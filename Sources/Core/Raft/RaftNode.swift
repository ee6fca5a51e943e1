internal import StrakeRandom

/// One member's part in Raft: the same inputs in the same order give the same effects.
///
/// A cluster of one is the same code: the only voter wins its election with its own vote, once that is durable, and
/// commits what its own disk holds. `Effect` has the order contract for the shell.
///
/// Where this departs from the paper: a configuration is in effect when its entry is committed, not when it is appended
/// (as in etcd, where adding a second member must not wait for that member). That is safe because a leader appends a
/// change only when the one before is committed by its knowledge: so a log that holds a change proves that all earlier
/// ones are committed, two members are never more than one change apart when both can win, and one change never makes
/// two majorities that do not meet.
///
/// The commit index may be lost in a crash, save that of a change: it is synced at once, and before it is, the change is
/// neither applied nor do answers name it as committed. Or the last of two members, back from a power cut, would not know
/// that the other one was removed, and need its vote, though that one was told to go.
public struct RaftNode: Sendable {
    public let id: MemberID
    public let options: RaftOptions

    // Persistent state (Raft figure 2); `committed` may be lost.
    public internal(set) var term: Term
    var vote: MemberID?
    /// Invariant: `applied <= committed <= log.last.index`, and it never falls.
    public internal(set) var committed: LogIndex
    var log: RaftLog
    var storage: StorageProgress

    var role = Role.follower
    public internal(set) var leader: MemberID?
    /// In effect: that of the last committed change.
    public internal(set) var configuration: Configuration
    /// The entry of the newest change that was put into effect here; zero when there was none yet.
    var configurationIndex = LogIndex.zero

    public internal(set) var applied: LogIndex
    /// Handed out to be applied. Invariant: `applied <= applying <= min(committed, durable)`.
    var applying: LogIndex
    var applyRead: LogRead?
    /// Received, and waiting until no apply is out.
    var staged: SnapshotMetadata?
    /// Being switched to.
    var restoring: Restoring?

    struct Restoring: Sendable {
        var snapshot: SnapshotMetadata
        var write: UInt64
        /// It was received once more meanwhile, of no use: but until it is installed the copy may be what is installed.
        var cameAgain = false
    }

    /// Messages that must not leave before a write is durable.
    var held: [HeldMessage] = []

    struct HeldMessage: Sendable {
        var message: Message
        var write: UInt64
    }

    /// This member's reads that the leader has been asked about.
    var forwardedReads: [ForwardedRead] = []

    struct ForwardedRead: Sendable {
        var context: UInt64
        var deadline: UInt64
    }

    /// Of this run: the member has another one each time it begins, so that what is still on its way to an earlier run is
    /// told from what was meant for this one.
    public let session: UInt64

    /// The newest batch of proposals passed on.
    var lastBatch: BatchID

    var ticks: UInt64 = 0
    /// Since this member last heard from a leader or voted; as leader, since the last look at the quorum.
    var electionElapsed = 0
    var heartbeatElapsed = 0
    var electionTimeout = 0
    var random: SplitMix64
    var reported: Leadership

    /// - Parameters:
    ///   - seed: For the election timeouts; members need different ones.
    ///   - hardState: As the durable log has it.
    ///   - base: Where the state machine is: its applied entry, and the configuration there. `.bootstrap` for every member
    ///     of a new cluster, `.joining` for a member that is added to one.
    ///   - log: Every entry of the durable log; in a new one nothing, after `base`.
    public init(
        id: MemberID, options: RaftOptions = RaftOptions(), seed: UInt64, hardState: HardState, base: SnapshotMetadata,
        log: RaftLog
    ) {
        options.validate()
        precondition(id.rawValue != 0, "a member needs an id")
        precondition(log.base.index <= base.last.index && base.last.index <= log.last.index, "log and state machine")
        precondition(log.term(at: base.last.index) == base.last.term, "the state machine is not of this log")
        precondition(
            base.last != .zero || base.configuration == Configuration(),
            "a configuration that no entry stands for would differ from the one that the log leads to")
        precondition(
            log.last.term <= hardState.term || log.last == base.last,
            "log of term \(log.last.term), state of \(hardState.term)")
        self.id = id
        self.options = options
        // Below only in a new cluster, which begins in the term of its base.
        self.term = max(hardState.term, base.last.term)
        self.vote = hardState.vote
        self.committed = max(min(hardState.committed, log.last.index), base.last.index)
        self.log = log
        self.storage = StorageProgress(hardState: hardState, durable: log.last.index, committed: committed)
        self.configuration = base.configuration
        self.applied = base.last.index
        self.applying = base.last.index
        self.random = SplitMix64(seed: seed)
        self.session = Self.session(seed: seed, term: self.term, last: log.last.index)
        self.lastBatch = BatchID(session: session, number: 0)
        self.reported = Leadership(term: term, role: .follower, leader: nil)
        while self.log.takeChange(through: base.last.index) != nil {}
        var ignored: [Effect] = []
        learnFromChanges(into: &ignored)
        adoptConfigurations(into: &ignored)
        // What the log proves to be committed it would prove again after another crash.
        storage = StorageProgress(hardState: hardState, durable: log.last.index, committed: committed)
        resetElectionTimeout()
    }

    /// Of a seed that is used again, another session as long as the term or the log has moved.
    private static func session(seed: UInt64, term: Term, last: LogIndex) -> UInt64 {
        var numbers = SplitMix64(seed: seed)
        for number in [term.rawValue, last.rawValue] { numbers = SplitMix64(seed: numbers.next() ^ number) }
        return numbers.next()
    }

    /// Advances by one input and appends what the shell must do, in order.
    public mutating func step(_ input: Input, into effects: inout [Effect]) {
        switch input {
        case .tick: tick(into: &effects)
        case .receive(let message): receive(message, into: &effects)
        case .propose(let commands): propose(commands, into: &effects)
        case .proposeConfiguration(let change): propose(change, into: &effects)
        case .readIndex(let context): readIndex(context, into: &effects)
        case .transferLeadership(let member): transferLeadership(to: member, into: &effects)
        case .campaign: campaign(isTransfer: false, into: &effects)
        case .forgetLeader: forgetLeader(into: &effects)
        case .persisted(let write): persisted(write, into: &effects)
        case .diskNotAsked: storage.restartWaiting(now: ticks)
        case .applied(let index): applied(through: index, into: &effects)
        case .logRead(let read, let entries): logRead(read, entries, into: &effects)
        case .snapshotPrepared(let member, let snapshot): snapshotPrepared(for: member, snapshot, into: &effects)
        case .snapshotReceived(let snapshot): snapshotReceived(snapshot, into: &effects)
        case .snapshotReport(let member, let outcome): snapshotReport(member, outcome)
        case .unreachable(let member): unreachable(member)
        case .compacted(let index): compacted(through: index)
        }
        flush(into: &effects)
        handOutApply(into: &effects)
        log.evict(through: storage.durable)
        reportLeadership(into: &effects)
    }

    private mutating func reportLeadership(into effects: inout [Effect]) {
        let now = Leadership(term: term, role: role.kind, leader: leader)
        guard now != reported else { return }
        reported = now
        effects.append(.leadershipChanged(now))
    }
}
