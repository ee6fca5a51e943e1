internal import StrakeModel
public import StrakeRaft

/// One member's part in the cluster: the raft node, and who waits for what.
///
/// A value: time arrives as ticks, the disk's and the state machine's progress as inputs, and what must be done leaves
/// in a `ReplicaOutput`. The same inputs in the same order give the same outputs.
public struct Replica: Sendable {
    /// Committed entries not yet applied at which further proposals are refused (etcd's limit).
    public static let unappliedMax: UInt64 = 5_000
    /// Proposals that wait for a leader; further ones are refused.
    public static let parkedMax = 5_000
    /// Bytes of proposals that wait for a leader, or that the leader has of a member which does not lead; further ones are
    /// refused.
    public static let keptBytesMax = 64 << 20

    public private(set) var node: RaftNode
    /// Ticks after which a request that has not been answered is given up.
    let requestTicks: UInt64
    private(set) var now: UInt64 = 0
    var proposals = ProposalTable()
    var reads: ReadTable
    /// When the present leader, or the last one, was first seen.
    private var leaderSince: UInt64 = 0
    /// When a member was last found out of reach. Looked up, never walked.
    private var unreachableAt: [MemberID: UInt64] = [:]
    /// Something has changed for requests that could not go before.
    private var retriesAreDue = false
    var effects: [RaftNode.Effect] = []

    public init(node: RaftNode, requestTicks: UInt64) {
        self.node = node
        self.requestTicks = requestTicks
        self.reads = ReadTable(session: node.session)
    }

    public var isLeader: Bool { node.isLeader }

    public mutating func tick(into output: inout ReplicaOutput) {
        now += 1
        for expired in proposals.expire(through: now) {
            let reason = expired.wasProposed ? timeoutReason(since: expired.began) : .neverProposed
            output.failures.append(Failure(origin: expired.origin, reason: reason))
        }
        for origin in reads.expire(through: now) {
            output.failures.append(Failure(origin: origin, reason: .timedOut))
        }
        retriesAreDue = true
        step(.tick, into: &output)
    }

    /// Every entry up to the index has been applied.
    public mutating func applied(through index: LogIndex, into output: inout ReplicaOutput) {
        step(.applied(through: index), into: &output)
    }

    /// The transport could not reach the member.
    public mutating func unreachable(_ member: MemberID, into output: inout ReplicaOutput) {
        unreachableAt[member] = now
        step(.unreachable(member), into: &output)
    }

    /// Gives the node an input that needs no book-keeping here.
    public mutating func step(_ input: RaftNode.Input, into output: inout ReplicaOutput) {
        stepNode(input)
        carryOut(into: &output)
        settle(into: &output)
    }

    /// Fails everything that is waited for: the member has stopped, and nothing more will come of it.
    public mutating func giveUp(into output: inout ReplicaOutput) {
        for origin in proposals.takeAll() + reads.takeAll() {
            output.failures.append(Failure(origin: origin, reason: .stopped))
        }
    }

    mutating func stepNode(_ input: RaftNode.Input) {
        node.step(input, into: &effects)
    }

    /// Sends what could not go before on its way, once something has changed for it.
    mutating func settle(into output: inout ReplicaOutput) {
        if retriesAreDue {
            retriesAreDue = false
            retryProposals(into: &output)
            retryReads(into: &output)
        }
        askGathered(into: &output)
        reads.release(through: node.applied, into: &output.readsReady)
    }

    /// Sorts the node's effects into the output.
    mutating func carryOut(into output: inout ReplicaOutput) {
        for effect in effects {
            switch effect {
            case .send(let message): output.messages.append(message)
            case .persist(let write): output.writes.append(.write(write))
            case .readLog(let read): output.writes.append(.read(read))
            case .apply(let entries): output.applies.append(batch(of: entries, into: &output))
            case .readReady(let context, let index): reads.confirm(context, at: index)
            case .readFailed(let context, let failure): readFailed(context, failure, into: &output)
            case .leadershipChanged(let leadership): changed(leadership, into: &output)
            case .restore(let snapshot, let write): restore(snapshot, write, into: &output)
            case .prepareSnapshot(let member): output.snapshotsToPrepare.append(member)
            case .acceptSnapshot(_, let snapshot): output.snapshotsToAccept.append(snapshot)
            case .discardSnapshot(let snapshot): output.snapshotsToDiscard.append(snapshot)
            case .forwardedRefused(let batch, let refusal): forwardedRefused(batch, refusal, into: &output)
            // The state machine keeps the configuration too, and tells of it once it is applied.
            case .proposed, .proposalForwarded, .proposalRefused, .configurationChanged: break
            }
        }
        effects.removeAll(keepingCapacity: true)
    }

    private mutating func changed(_ leadership: Leadership, into output: inout ReplicaOutput) {
        output.leadership = leadership
        guard leadership.leader != nil else { return }
        leaderSince = now
        retriesAreDue = true
    }

    private mutating func restore(_ snapshot: SnapshotMetadata, _ write: UInt64, into output: inout ReplicaOutput) {
        output.writes.append(.restore(snapshot, write: write))
        // Whether they are among what the snapshot stands for cannot be told.
        for origin in proposals.forget(through: snapshot.last.index) {
            output.failures.append(Failure(origin: origin, reason: .timedOutLeaderFailed))
        }
    }

    /// Finds out who waits for each entry. A proposal whose place another term's entry took is lost.
    private mutating func batch(of entries: [Entry], into output: inout ReplicaOutput) -> ApplyBatch {
        var origins: [RequestOrigin?] = []
        origins.reserveCapacity(entries.count)
        for entry in entries {
            origins.append(
                proposals.take(entry) { lost in
                    output.failures.append(Failure(origin: lost, reason: .leaderChanged))
                })
        }
        if !proposals.parked.isEmpty { retriesAreDue = true }
        return ApplyBatch(entries: entries, origins: origins)
    }

    /// What a client is told of a request that began then and was not applied in time (etcd's distinction).
    private func timeoutReason(since began: UInt64) -> ReplicaFailure {
        // The leader before the present one was lost at most two election timeouts before this one was elected.
        let lostSince = leaderSince - min(leaderSince, 2 * UInt64(node.options.electionTicks))
        if began > lostSince, began < leaderSince { return .timedOutLeaderFailed }
        if let leader = node.leader, let lost = unreachableAt[leader], lost >= began { return .timedOutDisconnected }
        return .timedOut
    }
}
