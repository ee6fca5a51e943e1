/// Reads that wait until a majority confirms that this leader still leads (Raft §8, thesis §6.4).
///
/// Confirmation is by rounds, numbered within the term: a heartbeat carries the number of the newest round and its
/// answer repeats it. A round covers the reads that came before it was sent. A number is never used twice, so an answer
/// that was delayed confirms only what it may.
struct ReadQueue: Sendable {
    struct Read: Sendable {
        var context: UInt64
        var requester: MemberID
        /// Commit index when the read came.
        var index: LogIndex
        var round: UInt64
    }

    private(set) var waiting: [Read] = []
    /// Asked for before an entry of this term was committed: they have no index yet.
    private(set) var early: [Read] = []
    /// Last round sent.
    private(set) var round: UInt64 = 0
    private var confirmed: UInt64 = 0

    var count: Int { waiting.count + early.count }

    /// A round has been sent and a majority has not answered yet.
    var isRoundOpen: Bool { confirmed < round }

    /// Some read needs a round that has not been sent.
    var needsRound: Bool { waiting.last.map { $0.round > round } ?? false }

    mutating func add(context: UInt64, requester: MemberID, index: LogIndex) {
        waiting.append(Read(context: context, requester: requester, index: index, round: round + 1))
    }

    mutating func addEarly(context: UInt64, requester: MemberID) {
        early.append(Read(context: context, requester: requester, index: .zero, round: 0))
    }

    /// The first entry of the term is committed: reads from before get their index.
    mutating func admitEarly(index: LogIndex) {
        for read in early { add(context: read.context, requester: read.requester, index: index) }
        early.removeAll()
    }

    mutating func beginRound() { round += 1 }

    /// Takes out the reads that a majority has confirmed through `round`.
    mutating func confirm(through round: UInt64) -> ArraySlice<Read> {
        guard round > confirmed else { return [] }
        confirmed = round
        let count = waiting.firstIndex { $0.round > round } ?? waiting.count
        let ready = waiting[..<count]
        waiting.removeFirst(count)
        return ready
    }
}
