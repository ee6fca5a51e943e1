internal import DequeModule
public import StrakeRaft

// Proposals: into the own log, on to the leader, or parked until there is one.
extension Replica {
    /// Takes the batch into the log, or passes it on to the leader. Every origin hears of it once: from the state
    /// machine, or by a failure.
    ///
    /// - Parameter commands: Encoded commands, each with who waits for its result; `nil` when nobody does.
    public mutating func propose(
        _ commands: [(data: [UInt8], origin: RequestOrigin?)], into output: inout ReplicaOutput
    ) {
        propose(commands, .untilThereIsALeader, into: &output)
    }

    /// The same, only while this member leads in that term: what a leader decides by its own clock is void in any other.
    /// So it does not wait for the next leader either, when this one is handing over.
    public mutating func propose(
        _ commands: [(data: [UInt8], origin: RequestOrigin?)], leadingIn term: Term, into output: inout ReplicaOutput
    ) {
        guard isLeader, node.term == term else {
            refuse(commands.map(\.origin), .leaderChanged, into: &output)
            return
        }
        propose(commands, .never, into: &output)
    }

    /// Whether a proposal waits that nobody takes just now.
    private enum Waiting {
        case never, untilThereIsALeader
    }

    private mutating func propose(
        _ commands: [(data: [UInt8], origin: RequestOrigin?)], _ waiting: Waiting, into output: inout ReplicaOutput
    ) {
        if node.committed.rawValue - node.applied.rawValue > Self.unappliedMax {
            refuse(commands.map(\.origin), .overloaded, into: &output)
            return
        }
        let batch = commands.map {
            ProposalTable.Command(data: $0.data, origin: $0.origin, began: now, deadline: now + requestTicks)
        }
        for part in isLeader ? [batch] : parts(of: batch) {
            if isLeader || hasRoom(for: part) {
                submit(part, waiting, into: &output)
            } else {
                refuse(part.map(\.origin), .overloaded, into: &output)
            }
        }
        settle(into: &output)
    }

    /// Changes the configuration, if this member leads and no other change is under way.
    public mutating func propose(
        _ change: ConfigurationChange, origin: RequestOrigin, into output: inout ReplicaOutput
    ) {
        guard isLeader else {
            refuse([origin], .notLeader, into: &output)
            return
        }
        stepNode(.proposeConfiguration(change))
        for effect in effects {
            switch effect {
            case .proposed(let id, _):
                let command = ProposalTable.Command(
                    data: [], origin: origin, began: now, deadline: now + requestTicks)
                let lost = proposals.log(command, as: id)
                refuse(lost, .timedOutLeaderFailed, into: &output)
            case .proposalRefused(let refusal): refuse([origin], ReplicaFailure(refusal), into: &output)
            default: break
            }
        }
        carryOut(into: &output)
        settle(into: &output)
    }

    private mutating func submit(
        _ commands: [ProposalTable.Command], _ waiting: Waiting, into output: inout ReplicaOutput
    ) {
        stepNode(.propose(commands.map(\.data)))
        for effect in effects {
            switch effect {
            case .proposed(let first, _):
                for (offset, command) in commands.enumerated() {
                    let id = EntryID(term: first.term, index: first.index + UInt64(offset))
                    // Not as an argument: `refuse` would be given a copy of the replica as it was before.
                    let lost = proposals.log(command, as: id)
                    refuse(lost, .timedOutLeaderFailed, into: &output)
                }
            case .proposalForwarded(_, let batch):
                proposals.forward(commands, batch: batch, in: node.term)
            case .proposalRefused(.noLeader), .proposalRefused(.transferring), .proposalRefused(.leaving):
                switch waiting {
                case .untilThereIsALeader: park(commands, into: &output)
                case .never: refuse(commands.map(\.origin), .leaderChanged, into: &output)
                }
            case .proposalRefused(let refusal):
                refuse(commands.map(\.origin), ReplicaFailure(refusal), into: &output)
            default:
                break
            }
        }
        carryOut(into: &output)
    }

    /// The leader has said that it did not take them: they did not happen.
    mutating func forwardedRefused(_ batch: UInt64, _ refusal: BatchRefusal, into output: inout ReplicaOutput) {
        let commands = proposals.takeRefused(batch: batch)
        switch refusal {
        case .overloaded: refuse(commands.map(\.origin), .overloaded, into: &output)
        case .leaving: park(commands, into: &output)
        }
    }

    /// There will be a leader soon, or the requests run out of time.
    private mutating func park(_ commands: [ProposalTable.Command], into output: inout ReplicaOutput) {
        for command in commands {
            if proposals.parked.count < Self.parkedMax, hasRoom(for: [command]) {
                proposals.park(command)
            } else {
                refuse([command.origin], .overloaded, into: &output)
            }
        }
    }

    mutating func retryProposals(into output: inout ReplicaOutput) {
        guard node.leader != nil, !proposals.parked.isEmpty else { return }
        for part in parts(of: proposals.takeParked()) { submit(part, .untilThereIsALeader, into: &output) }
    }

    /// Commands that another member has, or will have, are kept here until they are applied. The first ones always.
    private func hasRoom(for commands: [ProposalTable.Command]) -> Bool {
        let kept = proposals.keptBytes
        return kept == 0 || kept + commands.reduce(0) { $0 + $1.data.count } <= Self.keptBytesMax
    }

    /// Cuts what is passed on into messages of a bounded length: a message that no frame can hold is not sent, and of very
    /// many messages the transport drops some.
    private func parts(of commands: some Collection<ProposalTable.Command>) -> [[ProposalTable.Command]] {
        var parts: [[ProposalTable.Command]] = []
        var bytes = 0
        for command in commands {
            bytes += command.data.count
            if parts.isEmpty || bytes > node.options.messageBytesMax {
                parts.append([])
                bytes = command.data.count
            }
            parts[parts.count - 1].append(command)
        }
        return parts
    }

    private func refuse(_ origins: [RequestOrigin?], _ reason: ReplicaFailure, into output: inout ReplicaOutput) {
        for case let origin? in origins { output.failures.append(Failure(origin: origin, reason: reason)) }
    }
}

extension ReplicaFailure {
    init(_ refusal: ProposalRefusal) {
        switch refusal {
        case .noLeader: self = .noLeader
        case .notLeader: self = .notLeader
        case .transferring, .leaving: self = .leaderChanged
        case .uncommittedLimit: self = .overloaded
        case .configurationPending, .notReady: self = .configurationBusy
        case .configuration: self = .configurationInvalid
        }
    }
}
