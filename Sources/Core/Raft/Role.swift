/// What a member is just now, with what exists only while it is that.
enum Role: Sendable {
    case follower
    case preCandidate([MemberID: Bool])
    case candidate([MemberID: Bool])
    case leader(LeaderState)

    var kind: RoleKind {
        switch self {
        case .follower: .follower
        case .preCandidate: .preCandidate
        case .candidate: .candidate
        case .leader: .leader
        }
    }

    var isLeader: Bool {
        if case .leader = self { true } else { false }
    }

    var isCampaigning: Bool {
        switch self {
        case .preCandidate, .candidate: true
        case .follower, .leader: false
        }
    }

    /// The leader's state, in place: the payload is moved out and back, never copied. Only while leading.
    var leading: LeaderState {
        // Lent, where a getter would copy all of it for one field.
        @inline(__always)
        _read {
            switch self {
            case .leader(let state): yield state
            case .follower, .preCandidate, .candidate: preconditionFailure("not leading")
            }
        }
        @inline(__always)
        _modify {
            // Taken out by a consuming switch: a pattern over `self` would copy the payload.
            let role = consume self
            self = .follower
            switch consume role {
            case .leader(var state):
                defer { self = .leader(state) }
                yield &state
            case .follower, .preCandidate, .candidate: preconditionFailure("not leading")
            }
        }
    }
}

struct LeaderState: Sendable {
    /// One for each member of the configuration, ascending.
    var progress: [Progress] = []
    /// The entry that opened the term. Until it is committed nothing is known of the commit index (Raft §8).
    var first: LogIndex
    /// Own batches that are not committed yet.
    var uncommitted = Inflights()
    /// Who is to lead next.
    var transferee: MemberID?
    var reads = ReadQueue()
    /// The entry that took the vote from this leader: it stays until a majority knows, so that somebody can be elected.
    var leavingAt: LogIndex?

    init(first: LogIndex) {
        self.first = first
    }

    func place(of member: MemberID) -> Int? {
        progress.firstIndex { $0.member == member }
    }
}
