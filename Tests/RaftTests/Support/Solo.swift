internal import StrakeRaft

/// One member with a given log, and a disk that is as fast as the test wants it.
///
/// Logs are lists of terms: the n-th is the term of the entry at index n. The first is the base, so it is there always.
struct Solo {
    private(set) var node: RaftNode
    private var effects: [RaftNode.Effect] = []
    private(set) var applied: [Entry] = []
    private(set) var seen: [RaftNode.Effect] = []

    init(
        _ id: UInt64 = 1, voters: [UInt64] = [1, 2, 3], configuration: Configuration? = nil, log terms: [UInt64] = [1],
        term: UInt64 = 0, vote: UInt64? = nil, committed: UInt64 = 1, seed: UInt64 = 1, options: RaftOptions = .plain
    ) {
        var base = SnapshotMetadata.bootstrap(voters: voters.map(MemberID.init(rawValue:)))
        if let configuration { base.configuration = configuration }
        var log = RaftLog(after: base.last)
        for entry in Entry.log(terms).dropFirst() { log.append(entry) }
        let hardState = HardState(
            term: Term(rawValue: max(term, terms[terms.count - 1])), vote: vote.map(MemberID.init(rawValue:)),
            committed: LogIndex(rawValue: committed))
        node = RaftNode(
            id: MemberID(rawValue: id), options: options, seed: seed, hardState: hardState, base: base, log: log)
    }

    /// One step, and what it asks for. Nothing is carried out.
    @discardableResult
    mutating func step(_ input: RaftNode.Input) -> [RaftNode.Effect] {
        let before = effects.count
        node.step(input, into: &effects)
        node.checkInvariants()
        let new = Array(effects[before...])
        seen += new
        return new
    }

    /// Writes and applies all that is asked for, and gives the messages sent since the last time.
    @discardableResult
    mutating func settle() -> [Message] {
        var messages: [Message] = []
        while !effects.isEmpty {
            let effect = effects.removeFirst()
            switch effect {
            case .send(let message): messages.append(message)
            case .persist(let write): step(.persisted(write: write.number))
            case .restore(_, let write): step(.persisted(write: write))
            case .apply(let entries):
                applied += entries
                step(.applied(through: entries[entries.count - 1].index))
            case .readLog, .prepareSnapshot, .acceptSnapshot, .discardSnapshot, .proposed, .proposalForwarded,
                .forwardedRefused, .proposalRefused, .readReady, .readFailed, .leadershipChanged, .configurationChanged:
                break
            }
        }
        return messages
    }

    @discardableResult
    mutating func receive(_ body: Message.Body, from sender: UInt64 = 2, term: UInt64? = nil) -> [Message] {
        let message = Message(
            from: MemberID(rawValue: sender), to: node.id, term: term.map(Term.init(rawValue:)) ?? node.term, body: body
        )
        step(.receive(message))
        return settle()
    }

    @discardableResult
    mutating func tick(_ count: Int = 1) -> [Message] {
        for _ in 0..<count { step(.tick) }
        return settle()
    }

    /// Becomes leader with everybody's vote.
    @discardableResult
    mutating func lead() -> [Message] {
        step(.campaign)
        settle()
        for voter in node.configuration.members where voter != node.id && !node.isLeader {
            step(.receive(Message(from: voter, to: node.id, term: node.term, body: .vote(.yes))))
        }
        precondition(node.isLeader)
        return settle()
    }

    var terms: [UInt64] {
        (1...node.lastEntry.index.rawValue).compactMap { node.term(at: LogIndex(rawValue: $0))?.rawValue }
    }
}

extension RaftOptions {
    /// The paper's Raft: no pre-votes, no leases.
    static var plain: RaftOptions {
        var options = RaftOptions()
        options.preVote = false
        options.checkQuorum = false
        return options
    }

    static var both: RaftOptions { RaftOptions() }
}

extension Entry {
    static func log(_ terms: [UInt64]) -> [Entry] { log(terms, from: 1) }

    static func log(_ terms: [UInt64], from first: UInt64) -> [Entry] {
        terms.enumerated().map { offset, term in
            let id = EntryID(term: Term(rawValue: term), index: LogIndex(rawValue: first + UInt64(offset)))
            return Entry(id: id, kind: .command, data: Array("\(id)".utf8))
        }
    }
}

extension EntryID {
    static func at(_ index: UInt64, term: UInt64) -> EntryID {
        EntryID(term: Term(rawValue: term), index: LogIndex(rawValue: index))
    }
}

extension Message.VoteAnswer {
    static var yes: Self { Self(ballot: .vote, granted: true) }
    static var no: Self { Self(ballot: .vote, granted: false) }
}

extension Message.Body {
    static func requestVote(last: EntryID, ballot: Message.Ballot = .vote) -> Self {
        .requestVote(Message.VoteRequest(ballot: ballot, last: last, isTransfer: false))
    }

    static func append(after index: UInt64, term: UInt64, _ terms: [UInt64] = [], committed: UInt64 = 0) -> Self {
        .append(
            Message.Append(
                previous: .at(index, term: term), entries: Entry.log(terms, from: index + 1),
                committed: LogIndex(rawValue: committed)))
    }

    static func accepted(_ index: UInt64) -> Self {
        .appendResponse(Message.AppendAnswer(result: .accepted(through: LogIndex(rawValue: index)), committed: .zero))
    }

    static func heartbeat(committed: UInt64 = 0) -> Self {
        .heartbeat(Message.Heartbeat(committed: LogIndex(rawValue: committed), round: 0))
    }
}

extension [Message] {
    func sent(to member: UInt64) -> [Message.Body] {
        filter { $0.to.rawValue == member }.map(\.body)
    }

    var words: [String] { map(\.body.summary) }
}
