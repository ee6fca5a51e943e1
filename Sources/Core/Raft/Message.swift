/// What members tell each other. Any message may be lost, repeated, delayed or overtaken.
public struct Message: Hashable, Sendable {
    public var from: MemberID
    public var to: MemberID
    /// The sender's term; of a pre-vote and its yes, the term that the candidate would have.
    public var term: Term
    public var body: Body

    public init(from: MemberID, to: MemberID, term: Term, body: Body) {
        self.from = from
        self.to = to
        self.term = term
        self.body = body
    }

    public enum Body: Hashable, Sendable {
        case requestVote(VoteRequest)
        case vote(VoteAnswer)
        case append(Append)
        case appendResponse(AppendAnswer)
        case heartbeat(Heartbeat)
        case heartbeatResponse(HeartbeatAnswer)
        /// The head of a snapshot's stream.
        case snapshot(SnapshotMetadata)
        /// Campaign at once: leadership is handed to you (thesis §3.10).
        case timeoutNow
        /// A follower passes on what it was asked to propose.
        case propose([Proposal], BatchID)
        /// The leader has not taken the batch, and never will.
        case proposeRefused(BatchID, BatchRefusal)
        case readIndex(context: UInt64)
        case readIndexResponse(context: UInt64, index: LogIndex)
        case transferLeadership(to: MemberID)
    }
}

extension Message {
    public enum Ballot: UInt8, Hashable, Sendable {
        /// Would you vote for me? Binds nobody (thesis §9.6).
        case preVote = 0
        case vote = 1
    }

    public struct VoteRequest: Hashable, Sendable {
        public var ballot: Ballot
        /// The end of the candidate's log.
        public var last: EntryID
        /// The old leader asked for this election: it counts within the leader's lease too (thesis §4.2.3).
        public var isTransfer: Bool

        public init(ballot: Ballot, last: EntryID, isTransfer: Bool) {
            self.ballot = ballot
            self.last = last
            self.isTransfer = isTransfer
        }
    }

    public struct VoteAnswer: Hashable, Sendable {
        public var ballot: Ballot
        public var granted: Bool
        /// Of the entries that the candidate may have, the last one that the disk of the member that says no knows to be
        /// committed.
        public var committed: EntryID

        public init(ballot: Ballot, granted: Bool, committed: EntryID = .zero) {
            self.ballot = ballot
            self.granted = granted
            self.committed = committed
        }
    }

    public struct Append: Hashable, Sendable {
        /// The entry before the first one sent: the receiver must have it.
        public var previous: EntryID
        public var entries: [Entry]
        public var committed: LogIndex

        public init(previous: EntryID, entries: [Entry], committed: LogIndex) {
            self.previous = previous
            self.entries = entries
            self.committed = committed
        }
    }

    public struct AppendAnswer: Hashable, Sendable {
        public enum Result: Hashable, Sendable {
            /// The log agrees with the leader's through this index, durably.
            case accepted(through: LogIndex)
            /// The entry at `at` is not there or of another term. Nothing after `hint` can agree.
            case rejected(at: LogIndex, hint: EntryID)
        }
        public var result: Result
        /// How far the sender's disk knows the log to be committed.
        public var committed: LogIndex

        public init(result: Result, committed: LogIndex) {
            self.result = result
            self.committed = committed
        }
    }

    public struct Heartbeat: Hashable, Sendable {
        /// Never beyond what the receiver is known to hold.
        public var committed: LogIndex
        /// Answered as it is: a majority's answers to a round prove that this leader still led when it began.
        public var round: UInt64

        public init(committed: LogIndex, round: UInt64) {
            self.committed = committed
            self.round = round
        }
    }

    public struct HeartbeatAnswer: Hashable, Sendable {
        public var round: UInt64
        /// How far the sender's disk knows the log to be committed.
        public var committed: LogIndex

        public init(round: UInt64, committed: LogIndex) {
            self.round = round
            self.committed = committed
        }
    }
}

/// Something to go into the log.
public enum Proposal: Hashable, Sendable {
    case command([UInt8])
    case configuration(ConfigurationChange)
}

/// Names proposals that were passed on together.
public struct BatchID: Hashable, Sendable {
    /// Of the run of the process that passed them on: their numbers begin anew with each.
    public var session: UInt64
    /// Ascending from 1.
    public var number: UInt64

    public init(session: UInt64, number: UInt64) {
        self.session = session
        self.number = number
    }
}

/// Why a leader does not take what was passed on to it.
public enum BatchRefusal: UInt8, Hashable, Sendable {
    /// Too much is waiting for a majority already.
    case overloaded = 0
    /// It is handing over, or has stopped leading: the next leader may take it.
    case leaving = 1
}
