// Proposals: all of a batch, or none of it.
extension RaftNode {
    mutating func propose(_ commands: [[UInt8]], into effects: inout [Effect]) {
        guard role.isLeader else {
            return forward(commands.map { .command($0) }, into: &effects)
        }
        switch append(commands, into: &effects) {
        case .success(let first): effects.append(.proposed(first: first, count: commands.count))
        case .failure(let refusal): effects.append(.proposalRefused(refusal))
        }
    }

    mutating func propose(_ change: ConfigurationChange, into effects: inout [Effect]) {
        guard role.isLeader else { return forward([.configuration(change)], into: &effects) }
        switch append(change, into: &effects) {
        case .success(let first): effects.append(.proposed(first: first, count: 1))
        case .failure(let refusal): effects.append(.proposalRefused(refusal))
        }
    }

    private mutating func forward(_ proposals: [Proposal], into effects: inout [Effect]) {
        guard let leader else { return effects.append(.proposalRefused(.noLeader)) }
        guard options.forwardProposals else { return effects.append(.proposalRefused(.notLeader(leader))) }
        lastBatch.number += 1
        send(.propose(proposals, lastBatch), to: leader, into: &effects)
        effects.append(.proposalForwarded(to: leader, batch: lastBatch.number))
    }

    /// A follower passed these on. It learns what became of them from the log, or from a refusal.
    mutating func proposeForwarded(
        _ proposals: [Proposal], _ batch: BatchID, from member: MemberID, into effects: inout [Effect]
    ) {
        guard role.isLeader else { return }
        // Of a message that comes twice, one could be taken and the other refused, and the refusal would not be true.
        guard let place = role.leading.place(of: member),
            role.leading.progress[place].admit(batch) || options.flaws.contains(.takesBatchesTwice)
        else { return }
        var commands: [[UInt8]] = []
        for proposal in proposals {
            switch proposal {
            case .command(let data): commands.append(data)
            case .configuration(let change): _ = append(change, into: &effects)
            }
        }
        guard !commands.isEmpty, case .failure(let refusal) = append(commands, into: &effects) else { return }
        let reason: BatchRefusal = refusal == .uncommittedLimit ? .overloaded : .leaving
        send(.proposeRefused(batch, reason), to: member, into: &effects)
    }

    private mutating func append(
        _ commands: [[UInt8]], into effects: inout [Effect]
    ) -> Result<EntryID, ProposalRefusal> {
        precondition(!commands.isEmpty, "a batch of no commands")
        if let refusal = refusal { return .failure(refusal) }
        let bytes = commands.reduce(0) { $0 + $1.count + Entry.overheadBytes }
        let waiting = role.leading.uncommitted.bytes
        // A first batch is always taken, or one above the bound could never go.
        guard waiting == 0 || waiting + bytes <= options.uncommittedBytesMax else {
            return .failure(.uncommittedLimit)
        }
        role.leading.uncommitted.add(last: log.last.index + UInt64(commands.count), bytes: bytes)
        return .success(appendOwn(.command, commands, into: &effects))
    }

    private mutating func append(
        _ change: ConfigurationChange, into effects: inout [Effect]
    ) -> Result<EntryID, ProposalRefusal> {
        if let refusal = refusal { return .failure(refusal) }
        guard log.changes.isEmpty else { return .failure(.configurationPending) }
        guard committed >= role.leading.first else { return .failure(.notReady) }
        do throws(ConfigurationError) {
            _ = try configuration.applying(change)
        } catch {
            return .failure(.configuration(error))
        }
        return .success(appendOwn(.configuration, [change.encoded()], into: &effects))
    }

    private var refusal: ProposalRefusal? {
        if role.leading.leavingAt != nil { return .leaving }
        return role.leading.transferee == nil ? nil : .transferring
    }
}
