internal import StrakeRaft
internal import StrakeReplication

/// Watches what all members do together for what Raft promises (figure 3).
final class RaftChecker {
    private struct Content: Hashable {
        var kind: Entry.Kind
        var data: [UInt8]
        var previous: Term?
    }

    private let referee: Referee
    private var leaders: [Term: MemberID] = [:]
    private var contents: [EntryID: Content] = [:]
    /// By index, from 1: what is committed, and the term of whoever first knew.
    private var committed: [(id: EntryID, by: Term)?] = [nil]
    private var seenCommitted: [MemberID: LogIndex] = [:]
    private(set) var elections = 0

    init(referee: Referee) {
        self.referee = referee
    }

    var lastCommitted: LogIndex { LogIndex(rawValue: UInt64(committed.count - 1)) }

    /// After each step of a member.
    func check(_ node: borrowing RaftNode, _ output: borrowing ReplicaOutput) {
        for work in output.writes {
            if case .write(let write) = work { checkLogMatching(write.entries, node) }
        }
        if let leadership = output.leadership, leadership.role == .leader { checkElection(node) }
        checkCommit(node)
    }

    /// A member begins anew: its commit index may be lost with the memory.
    func restarted(_ id: MemberID) { seenCommitted[id] = nil }

    func applied(_ entry: Entry, at member: MemberID) {
        guard let known = known(entry.index) else {
            return referee.fail(.committedForever, "\(member) applied \(entry.id), which nobody has committed")
        }
        if known.id != entry.id {
            referee.fail(.committedForever, "\(member) applied \(entry.id), committed is \(known.id)")
        }
    }

    private func known(_ index: LogIndex) -> (id: EntryID, by: Term)? {
        index.rawValue < UInt64(committed.count) ? committed[Int(index.rawValue)] : nil
    }

    /// An entry's id stands for its content, and for the entry before it, hence for all before.
    private func checkLogMatching(_ entries: [Entry], _ node: borrowing RaftNode) {
        guard let first = entries.first else { return }
        var previous = node.term(at: first.index - 1)
        for entry in entries {
            let content = Content(kind: entry.kind, data: entry.data, previous: previous)
            if let known = contents[entry.id], previous != nil, known.previous != nil {
                if known != content { referee.fail(.logMatching, "two entries \(entry.id), the second at \(node.id)") }
            } else {
                contents[entry.id] = content
            }
            previous = entry.term
        }
    }

    private func checkElection(_ node: borrowing RaftNode) {
        if let other = leaders[node.term] {
            if other != node.id { referee.fail(.oneLeader, "\(other) and \(node.id) lead term \(node.term)") }
            return
        }
        elections += 1
        leaders[node.term] = node.id
        for case let entry? in committed where entry.by < node.term {
            let term = node.term(at: entry.id.index)
            if term == entry.id.term || (term == nil && entry.id.index < node.lastEntry.index) { continue }
            let has = term.map { "\($0)/\(entry.id.index)" } ?? "a log that ends at \(node.lastEntry)"
            return referee.fail(.leaderCompleteness, "\(node.id) leads term \(node.term) with \(has) for \(entry.id)")
        }
    }

    private func checkCommit(_ node: borrowing RaftNode) {
        let seen = seenCommitted[node.id] ?? .zero
        if node.committed < seen {
            return referee.fail(.committedForever, "the commit index of \(node.id) fell from \(seen)")
        }
        guard node.committed > seen else { return }
        seenCommitted[node.id] = node.committed
        var index = seen + 1
        while index <= node.committed {
            if let term = node.term(at: index) { commit(EntryID(term: term, index: index), node) }
            index = index + 1
        }
    }

    private func commit(_ id: EntryID, _ node: borrowing RaftNode) {
        while UInt64(committed.count) <= id.index.rawValue { committed.append(nil) }
        let place = Int(id.index.rawValue)
        guard let known = committed[place] else {
            committed[place] = (id, node.term)
            return
        }
        if known.id != id { referee.fail(.committedForever, "committed \(known.id) became \(id) at \(node.id)") }
    }
}
