internal import DequeModule
public import StrakeRaft

/// One member's part in the cluster: the raft node, and who waits for what.
///
/// A value: time arrives as ticks, the disk's and the state machine's progress as inputs, and what must be done leaves
/// in a `ReplicaOutput`. The same inputs in the same order give the same outputs.
public struct Replica: Sendable {
    /// Committed entries not yet applied at which further proposals are refused (etcd's limit).
    public static let unappliedMax: UInt64 = 5_000

    public private(set) var node: RaftNode
    /// Ticks after which a request that has not been answered is given up.
    private let requestTicks: UInt64
    private var now: UInt64 = 0
    /// Proposals of this member that are in the log and not applied, in log order.
    private var proposals: Deque<PendingProposal> = []
    /// Reads whose index is not known yet, by context. Looked up, never walked.
    private var unconfirmedReads: [UInt64: PendingRead] = [:]
    private var lastReadContext: UInt64 = 0
    /// Reads that wait for the state machine, by ascending index.
    private var confirmedReads: Deque<ConfirmedRead> = []
    private var effects: [RaftNode.Effect] = []

    private struct PendingProposal {
        var id: EntryID
        var origin: RequestOrigin
        var deadline: UInt64
    }

    private struct PendingRead {
        var origin: RequestOrigin
        var deadline: UInt64
    }

    private struct ConfirmedRead {
        var index: LogIndex
        var origin: RequestOrigin
        var deadline: UInt64
    }

    public init(node: RaftNode, requestTicks: UInt64) {
        self.node = node
        self.requestTicks = requestTicks
    }

    public var isLeader: Bool { node.leader == node.id }

    /// Takes the batch into the log, or refuses all of it.
    ///
    /// - Parameter commands: Encoded commands, each with who waits for its result; `nil` when nobody does.
    public mutating func propose(
        _ commands: [(data: [UInt8], origin: RequestOrigin?)], into output: inout ReplicaOutput
    ) {
        if node.committed.rawValue - node.applied.rawValue > Self.unappliedMax {
            refuse(commands, .overloaded, into: &output)
            return
        }
        node.step(.propose(commands.map(\.data)), into: &effects)
        for effect in effects {
            switch effect {
            case .proposed(let first, _):
                for (offset, command) in commands.enumerated() {
                    guard let origin = command.origin else { continue }
                    let id = EntryID(term: first.term, index: first.index + UInt64(offset))
                    proposals.append(PendingProposal(id: id, origin: origin, deadline: now + requestTicks))
                }
            case .proposalRefused(let refusal):
                refuse(commands, ReplicaFailure(refusal), into: &output)
            case .proposalForwarded:
                // The options forbid forwarding: the answer would not find its way back.
                preconditionFailure("a proposal was forwarded")
            default:
                break
            }
        }
        carryOut(into: &output)
    }

    /// Asks for an index that makes a read linearizable (Raft §8). One call may stand for many reads that arrived
    /// together.
    public mutating func read(_ origin: RequestOrigin, into output: inout ReplicaOutput) {
        lastReadContext += 1
        unconfirmedReads[lastReadContext] = PendingRead(origin: origin, deadline: now + requestTicks)
        step(.readIndex(context: lastReadContext), into: &output)
    }

    public mutating func tick(into output: inout ReplicaOutput) {
        now += 1
        while let oldest = proposals.first, oldest.deadline <= now {
            proposals.removeFirst()
            output.failures.append(Failure(origin: oldest.origin, reason: .timedOut))
        }
        // Only the front can be next: deadlines come in the order of the contexts, as the indexes do. A read whose index
        // is not confirmed is the node's to give up.
        while let oldest = confirmedReads.first, oldest.deadline <= now {
            confirmedReads.removeFirst()
            output.failures.append(Failure(origin: oldest.origin, reason: .timedOut))
        }
        step(.tick, into: &output)
    }

    /// Every entry up to the index has been applied.
    public mutating func applied(through index: LogIndex, into output: inout ReplicaOutput) {
        step(.applied(through: index), into: &output)
        while let read = confirmedReads.first, read.index <= index {
            confirmedReads.removeFirst()
            output.readsReady.append(read.origin)
        }
    }

    /// Gives the node an input that needs no book-keeping here.
    public mutating func step(_ input: RaftNode.Input, into output: inout ReplicaOutput) {
        node.step(input, into: &effects)
        carryOut(into: &output)
    }

    /// Fails everything that is waited for: the member has stopped, and nothing more will come of it.
    public mutating func giveUp(into output: inout ReplicaOutput) {
        let reads = unconfirmedReads.sorted { $0.key < $1.key }.map(\.value.origin) + confirmedReads.map(\.origin)
        for origin in proposals.map(\.origin) + reads {
            output.failures.append(Failure(origin: origin, reason: .stopped))
        }
        proposals.removeAll()
        unconfirmedReads = [:]
        confirmedReads.removeAll()
    }

    private func refuse(
        _ commands: [(data: [UInt8], origin: RequestOrigin?)], _ reason: ReplicaFailure,
        into output: inout ReplicaOutput
    ) {
        for case (_, let origin?) in commands {
            output.failures.append(Failure(origin: origin, reason: reason))
        }
    }

    /// Sorts the node's effects into the output.
    private mutating func carryOut(into output: inout ReplicaOutput) {
        for effect in effects {
            switch effect {
            case .send(let message): output.messages.append(message)
            case .persist(let write): output.writes.append(.write(write))
            case .readLog(let read): output.writes.append(.read(read))
            case .apply(let entries): output.applies.append(batch(of: entries, into: &output))
            case .readReady(let context, let index): confirm(context, at: index, into: &output)
            case .readFailed(let context, let failure):
                guard let read = unconfirmedReads.removeValue(forKey: context) else { continue }
                output.failures.append(Failure(origin: read.origin, reason: ReplicaFailure(failure)))
            case .leadershipChanged(let leadership): output.leadership = leadership
            case .configurationChanged(let configuration, _): output.configuration = configuration
            case .proposed, .proposalForwarded, .proposalRefused: break
            case .restore, .prepareSnapshot, .acceptSnapshot, .discardSnapshot:
                // A cluster of one never sends or needs a snapshot.
                preconditionFailure("a snapshot was asked for in a cluster of one")
            }
        }
        effects.removeAll(keepingCapacity: true)
    }

    private mutating func confirm(_ context: UInt64, at index: LogIndex, into output: inout ReplicaOutput) {
        guard let read = unconfirmedReads.removeValue(forKey: context) else { return }
        if index <= node.applied {
            output.readsReady.append(read.origin)
        } else {
            // Indexes are confirmed in the order of the contexts, so the queue stays sorted.
            confirmedReads.append(ConfirmedRead(index: index, origin: read.origin, deadline: read.deadline))
        }
    }

    /// Finds out who waits for each entry. A proposal whose place another term's entry took is lost.
    private mutating func batch(of entries: [Entry], into output: inout ReplicaOutput) -> ApplyBatch {
        var origins: [RequestOrigin?] = []
        origins.reserveCapacity(entries.count)
        for entry in entries {
            var origin: RequestOrigin?
            while let first = proposals.first, first.id.index <= entry.index {
                proposals.removeFirst()
                if first.id == entry.id {
                    origin = first.origin
                } else {
                    output.failures.append(Failure(origin: first.origin, reason: .leaderChanged))
                }
            }
            origins.append(origin)
        }
        return ApplyBatch(entries: entries, origins: origins)
    }
}

extension ReplicaFailure {
    init(_ refusal: ProposalRefusal) {
        switch refusal {
        case .noLeader: self = .noLeader
        case .notLeader: self = .notLeader
        case .transferring, .leaving: self = .leaderChanged
        case .uncommittedLimit: self = .overloaded
        case .configurationPending, .configuration, .notReady: self = .overloaded
        }
    }

    init(_ failure: ReadFailure) {
        switch failure {
        case .noLeader: self = .noLeader
        case .leaderChanged: self = .leaderChanged
        case .overloaded: self = .overloaded
        case .timedOut: self = .timedOut
        }
    }
}
