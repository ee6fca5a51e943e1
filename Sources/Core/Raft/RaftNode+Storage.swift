// What goes to the disk, and what waits for it.
extension RaftNode {
    var hardState: HardState { HardState(term: term, vote: vote, committed: committed) }

    enum Wait {
        /// The term and vote that the message speaks for.
        case vote
        /// The log through an index, too.
        case log(through: LogIndex)
    }

    /// What this member still knows to be committed after a power cut.
    var committedDurably: LogIndex { min(committed, storage.committed) }

    /// Hands out what has changed since the last write. The commit index rides along, and is a reason of its own only where
    /// it puts a change of members into effect.
    mutating func flush(into effects: inout [Effect]) {
        let written = storage.hardState
        let isVoteNew = written.term != term || written.vote != vote
        let isChangeNew = configurationIndex > storage.committedHanded
        let first = storage.handed + 1
        guard isVoteNew || isChangeNew || first <= log.last.index else { return }
        var entries: [Entry] = []
        if first <= log.last.index { entries = log.entries(from: first, through: log.last.index, bytesMax: .max) }
        let isStateNew = isVoteNew || written.committed != committed
        write(hardState: isStateNew ? hardState : nil, entries: entries, mustSync: true, into: &effects)
    }

    mutating func write(hardState: HardState?, entries: [Entry], mustSync: Bool, into effects: inout [Effect]) {
        let last = entries.last?.index ?? storage.handed
        let number = storage.issue(hardState: hardState, last: last, now: mustSync ? ticks : nil)
        effects.append(
            .persist(Write(number: number, hardState: hardState, entries: entries, mustSync: mustSync)))
    }

    mutating func send(_ body: Message.Body, to member: MemberID, into effects: inout [Effect]) {
        effects.append(.send(Message(from: id, to: member, term: term, body: body)))
    }

    /// Sends once what the message promises is durable.
    mutating func send(
        _ body: Message.Body, to member: MemberID, term: Term? = nil, after wait: Wait, into effects: inout [Effect]
    ) {
        flush(into: &effects)
        var write = storage.hardStateWrite
        if case .log(let index) = wait { write = max(write, storage.write(covering: index)) }
        let message = Message(from: id, to: member, term: term ?? self.term, body: body)
        if write <= storage.acknowledged {
            deliver(message, into: &effects)
        } else {
            held.append(HeldMessage(message: message, write: write))
        }
    }

    /// A member's vote for itself takes the same way as all votes, and ends here.
    private mutating func deliver(_ message: Message, into effects: inout [Effect]) {
        if message.to == id { receive(message, into: &effects) } else { effects.append(.send(message)) }
    }

    mutating func persisted(_ write: UInt64, into effects: inout [Effect]) {
        let known = storage.committed
        storage.acknowledge(write)
        finishRestore(into: &effects)
        releaseHeld(into: &effects)
        if known < configurationIndex { releaseLeader(into: &effects) }
        guard role.isLeader else { return }
        noteOwnDurable()
        advanceCommit(into: &effects)
    }

    /// A leader that was voted out takes nothing more, and goes when it hears what the disk knows now. The answer to its next
    /// heartbeat says the same, if this message is lost.
    private mutating func releaseLeader(into effects: inout [Effect]) {
        guard case .follower = role, let leader, configurationIndex <= storage.committed, !configuration.isVoter(leader)
        else { return }
        let answer = Message.HeartbeatAnswer(round: 0, committed: committedDurably)
        send(.heartbeatResponse(answer), to: leader, after: .vote, into: &effects)
    }

    private mutating func releaseHeld(into effects: inout [Effect]) {
        guard held.contains(where: { $0.write <= storage.acknowledged }) else { return }
        let acknowledged = storage.acknowledged
        let ready = held.filter { $0.write <= acknowledged }
        held.removeAll { $0.write <= acknowledged }
        // Delivering one to ourselves can change the term, which makes the rest obsolete.
        for item in ready where item.message.term == term { deliver(item.message, into: &effects) }
    }

    /// The leader counts its own log as far as its disk holds it.
    mutating func noteOwnDurable() {
        guard let place = role.leading.place(of: id) else { return }
        let durable = storage.durable
        let round = role.leading.reads.round
        role.leading.progress[place].setDurable(durable, round: round)
    }

    // MARK: Apply

    /// Hands out the next entries that are committed and durable here, once the last ones are applied.
    mutating func handOutApply(into effects: inout [Effect]) {
        guard applying == applied, applyRead == nil, restoring == nil, staged == nil else { return }
        var through = options.flaws.contains(.appliesAheadOfDisk) ? committed : min(committed, storage.durable)
        // Who applies a change lets those go who were removed: from then on it must know, whatever happens, that their
        // votes do not count.
        if configurationIndex > storage.committed { through = min(through, storage.committed) }
        guard through > applied else { return }
        let first = applied + 1
        if log.isCached(first) {
            handOut(log.entries(from: first, through: through, bytesMax: options.applyBytesMax), into: &effects)
        } else {
            let end = min(through, log.cachedFirst - 1)
            let read = LogRead(purpose: .apply, from: first, through: end, bytesMax: options.applyBytesMax)
            applyRead = read
            effects.append(.readLog(read))
        }
    }

    private mutating func handOut(_ entries: [Entry], into effects: inout [Effect]) {
        applying = applied + UInt64(entries.count)
        effects.append(.apply(entries))
    }

    mutating func applied(through index: LogIndex, into effects: inout [Effect]) {
        precondition(index == applying, "applied through \(index), handed out through \(applying)")
        applied = index
        beginRestoreIfReady(into: &effects)
    }

    mutating func logRead(_ read: LogRead, _ entries: [Entry], into effects: inout [Effect]) {
        precondition(entries.first.map { $0.index == read.from } ?? true, "read from \(read.from) got another entry")
        switch read.purpose {
        case .apply:
            guard applyRead == read else { return }
            precondition(!entries.isEmpty, "entries from \(read.from) are gone and not applied")
            applyRead = nil
            handOut(entries, into: &effects)
        case .member(let member):
            guard role.isLeader, let place = role.leading.place(of: member),
                role.leading.progress[place].read == read
            else { return }
            role.leading.progress[place].read = nil
            if entries.isEmpty {
                sendSnapshotOrAppend(at: place, into: &effects)
            } else {
                sendRead(entries, at: place, into: &effects)
            }
        }
    }

    mutating func compacted(through index: LogIndex) {
        precondition(index <= applied, "compacted through \(index), applied \(applied)")
        log.compact(through: index)
    }
}
