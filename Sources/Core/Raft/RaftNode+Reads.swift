// Linearizable reads without a log entry (Raft §8, thesis §6.4).
extension RaftNode {
    mutating func readIndex(_ context: UInt64, into effects: inout [Effect]) {
        if role.isLeader { return readIndex(context, for: id, into: &effects) }
        guard let leader else { return effects.append(.readFailed(context: context, .noLeader)) }
        guard forwardedReads.count < options.pendingReadsMax else {
            return effects.append(.readFailed(context: context, .overloaded))
        }
        let deadline = ticks + UInt64(options.electionTicks)
        forwardedReads.append(ForwardedRead(context: context, deadline: deadline))
        send(.readIndex(context: context), to: leader, into: &effects)
    }

    mutating func readIndex(_ context: UInt64, for requester: MemberID, into effects: inout [Effect]) {
        guard role.isLeader else { return }
        guard role.leading.reads.count < options.pendingReadsMax else {
            // Another member's read times out there.
            if requester == id { effects.append(.readFailed(context: context, .overloaded)) }
            return
        }
        // Before an entry of its own term is committed a leader does not know how far the log is committed.
        guard committed >= role.leading.first || options.flaws.contains(.readsBeforeOwnTerm) else {
            return role.leading.reads.addEarly(context: context, requester: requester)
        }
        role.leading.reads.add(context: context, requester: requester, index: committed)
        beginReadRoundIfIdle(into: &effects)
    }

    /// Reads that come while a round is out share the next one, so their number does not multiply the messages.
    mutating func beginReadRoundIfIdle(into effects: inout [Effect]) {
        guard role.leading.reads.needsRound, !role.leading.reads.isRoundOpen else { return }
        beginReadRound()
        if role.leading.progress.count > 1 { broadcastHeartbeat(into: &effects) }
        confirmReads(into: &effects)
    }

    mutating func beginReadRound() {
        role.leading.reads.beginRound()
        noteOwnDurable()
    }

    mutating func confirmReads(into effects: inout [Effect]) {
        guard role.leading.reads.isRoundOpen else { return }
        let round = min(role.leading.quorumRound, role.leading.reads.round)
        for read in role.leading.reads.confirm(through: round) {
            if read.requester == id {
                effects.append(.readReady(context: read.context, index: read.index))
            } else {
                let body = Message.Body.readIndexResponse(context: read.context, index: read.index)
                send(body, to: read.requester, into: &effects)
            }
        }
        beginReadRoundIfIdle(into: &effects)
    }

    /// Leadership ends: what a majority has not confirmed must not be served.
    mutating func failReads(into effects: inout [Effect]) {
        guard role.isLeader else { return }
        let reads = role.leading.reads
        for read in reads.early + reads.waiting where read.requester == id {
            effects.append(.readFailed(context: read.context, .leaderChanged))
        }
    }

    // MARK: The member that asked

    mutating func readAnswered(_ context: UInt64, index: LogIndex, into effects: inout [Effect]) {
        guard let place = forwardedReads.firstIndex(where: { $0.context == context }) else { return }
        forwardedReads.remove(at: place)
        effects.append(.readReady(context: context, index: index))
    }

    mutating func failForwardedReads(into effects: inout [Effect]) {
        for read in forwardedReads { effects.append(.readFailed(context: read.context, .leaderChanged)) }
        forwardedReads.removeAll()
    }

    mutating func expireForwardedReads(into effects: inout [Effect]) {
        // In the order of their deadlines.
        let count = forwardedReads.firstIndex { $0.deadline > ticks } ?? forwardedReads.count
        for read in forwardedReads[..<count] { effects.append(.readFailed(context: read.context, .timedOut)) }
        forwardedReads.removeFirst(count)
    }
}
