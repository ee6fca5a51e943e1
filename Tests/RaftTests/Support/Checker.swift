internal import StrakeRaft

/// Watches what all members do together for what Raft promises (figure 3). Traps at the first breach.
struct Checker {
    private struct Content: Hashable {
        var kind: Entry.Kind
        var data: [UInt8]
        var previous: Term?
    }

    private var leaders: [Term: MemberID] = [:]
    private var contents: [EntryID: Content] = [:]
    /// The committed entries, and the term of whoever first knew.
    private var committed: [LogIndex: (id: EntryID, by: Term)] = [:]
    private(set) var lastCommitted = LogIndex.zero
    private var digests: [EntryID: AppliedState] = [:]
    private var seenCommitted: [MemberID: LogIndex] = [:]
    private var readFloors: [UInt64: LogIndex] = [:]
    private(set) var electionCount = 0
    private(set) var readCount = 0
    private(set) var configurationCount = 0

    mutating func began(_ base: SnapshotMetadata) {
        lastCommitted = max(lastCommitted, base.last.index)
        digests[base.last] = AppliedState(base)
        committed[base.last.index] = (base.last, base.last.term)
    }

    mutating func check(_ node: RaftNode, _ effects: [RaftNode.Effect]) {
        for effect in effects {
            switch effect {
            case .persist(let write): checkLogMatching(write.entries, node)
            case .leadershipChanged(let leadership) where leadership.role == .leader: checkElection(node)
            default: break
            }
        }
        checkCommit(node)
    }

    /// Log Matching: an entry's id stands for its content, and for the entry before it, hence for all before.
    private mutating func checkLogMatching(_ entries: [Entry], _ node: RaftNode) {
        guard let first = entries.first else { return }
        var previous = node.term(at: first.index - 1)
        for entry in entries {
            let content = Content(kind: entry.kind, data: entry.data, previous: previous)
            if let known = contents[entry.id], previous != nil, known.previous != nil {
                precondition(known == content, "log matching: two entries \(entry.id) at \(node.id)")
            } else {
                contents[entry.id] = content
            }
            previous = entry.term
        }
    }

    /// Election Safety, and Leader Completeness.
    private mutating func checkElection(_ node: RaftNode) {
        if let other = leaders[node.term] {
            precondition(other == node.id, "election safety: \(other) and \(node.id) lead term \(node.term)")
        } else {
            electionCount += 1
        }
        leaders[node.term] = node.id
        for (index, entry) in committed where entry.by < node.term {
            guard let term = node.term(at: index) else {
                precondition(
                    index < node.lastEntry.index,
                    "leader completeness: \(node.id) lacks \(entry.id), has \(node.lastEntry)")
                continue
            }
            precondition(term == entry.id.term, "leader completeness: \(node.id) has \(term)/\(index) for \(entry.id)")
        }
    }

    /// State Machine Safety, as early as the commit.
    private mutating func checkCommit(_ node: RaftNode) {
        let seen = seenCommitted[node.id] ?? .zero
        precondition(node.committed >= seen, "commit index of \(node.id) fell from \(seen) to \(node.committed)")
        guard node.committed > seen else { return }
        seenCommitted[node.id] = node.committed
        var index = seen + 1
        while index <= node.committed {
            if let term = node.term(at: index) {
                let id = EntryID(term: term, index: index)
                if let known = committed[index] {
                    precondition(known.id == id, "committed \(known.id) became \(id) at \(node.id)")
                } else {
                    committed[index] = (id, node.term)
                }
            }
            index = index + 1
        }
        lastCommitted = max(lastCommitted, node.committed)
    }

    mutating func applied(_ entry: Entry) {
        guard let known = committed[entry.index] else {
            preconditionFailure("\(entry.id) applied and not committed")
        }
        precondition(known.id == entry.id, "applied \(entry.id), committed \(known.id)")
        if entry.kind == .configuration { configurationCount += 1 }
    }

    mutating func reached(_ state: AppliedState) {
        if let known = digests[state.last] {
            precondition(known == state, "two states at \(state.last): \(known) and \(state)")
        } else {
            digests[state.last] = state
        }
    }

    /// The commit index may be lost with the memory.
    mutating func crashed(_ id: MemberID) { seenCommitted[id] = nil }

    mutating func asked(_ context: UInt64) { readFloors[context] = lastCommitted }

    /// A read must not miss what was committed before it was asked for.
    mutating func answered(_ context: UInt64, index: LogIndex) {
        guard let floor = readFloors[context] else { return }
        precondition(index >= floor, "stale read \(context): \(index), committed \(floor) when asked")
        readCount += 1
    }
}
