/// Names one entry for good: two logs that hold the same term at an index hold the same entry there (Raft §5.3).
public struct EntryID: Hashable, Sendable {
    public var term: Term
    public var index: LogIndex

    @inlinable
    public init(term: Term, index: LogIndex) {
        self.term = term
        self.index = index
    }

    @inlinable public static var zero: EntryID { EntryID(term: .zero, index: .zero) }
}

extension EntryID: CustomStringConvertible {
    public var description: String { "\(term)/\(index)" }
}

/// One entry of the replicated log.
public struct Entry: Hashable, Sendable {
    public enum Kind: UInt8, Sendable {
        /// A new leader's first entry: it carries nothing and commits what earlier terms left (Raft §8).
        case empty = 0
        /// A command for the state machine.
        case command = 1
        /// A `ConfigurationChange`.
        case configuration = 2
    }

    public var id: EntryID
    public var kind: Kind
    public var data: [UInt8]

    @inlinable
    public init(id: EntryID, kind: Kind, data: [UInt8]) {
        self.id = id
        self.kind = kind
        self.data = data
    }

    @inlinable public var term: Term { id.term }
    @inlinable public var index: LogIndex { id.index }
}

/// What a member must have on disk before it speaks (Raft figure 2, "persistent state"), and the commit index, which
/// saves a restart from waiting for the leader.
public struct HardState: Hashable, Sendable {
    public var term: Term
    public var vote: MemberID?
    public var committed: LogIndex

    @inlinable
    public init(term: Term = .zero, vote: MemberID? = nil, committed: LogIndex = .zero) {
        self.term = term
        self.vote = vote
        self.committed = committed
    }
}
