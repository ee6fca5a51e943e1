package import StrakeRaft

/// When a member that was removed from the cluster may stop.
///
/// A change of members counts, wherever it is known to be committed. Where it is not known yet, elections still follow the
/// configuration before, and the removed member's vote may be the one that makes a majority of it: of four members of
/// which one is removed and another is down, the two that know nothing need three votes. So the member stays, and votes,
/// until a majority of those who stay say that they have applied its removal, which they do only once their disks know that
/// it is committed. Any majority of them that is left has a member then that knows, and keeps on knowing over a power cut.
/// It stays for two election timeouts more: whoever misses the leader in that moment and does not know stands for election
/// within them, and still gets the vote.
///
/// etcd's members stop a fixed second after they have applied their removal, and its manual calls the removal from two
/// members unsafe.
package struct Departure: Sendable {
    /// Milliseconds after which a member stops that was only told of its removal, whoever has not said so. It was away when
    /// it was removed, so the others did without it; whom it knows may be gone for good. One that has applied its removal
    /// knows whom to wait for, and waits.
    package static let patienceMilliseconds: Int64 = 60_000

    package enum Verdict: Hashable, Sendable {
        case stay
        /// For the first time after `patienceMilliseconds`: the operator should know why it is still there.
        case stayAndTell
        /// Once.
        case leave(knownToMajority: Bool)
    }

    private enum State: Equatable {
        case member
        case leaving(since: Int64, hasTold: Bool)
        case known(since: Int64)
        case gone
    }

    private let electionMilliseconds: Int64
    private var state = State.member
    private var hasApplied = false
    /// Who has said that it has applied the removal, ascending.
    package private(set) var aware: [MemberID] = []

    package init(electionMilliseconds: Int64) {
        self.electionMilliseconds = electionMilliseconds
    }

    /// The member has heard of its removal.
    package var hasBegun: Bool { state != .member }

    /// The member is in the cluster that it has applied.
    package mutating func join() { self = Departure(electionMilliseconds: electionMilliseconds) }

    /// It has applied its removal.
    package mutating func applied(now: Int64) {
        hasApplied = true
        begin(now)
    }

    /// Another member has applied its removal.
    package mutating func told(by member: MemberID, now: Int64) {
        begin(now)
        guard let place = aware.firstIndex(where: { $0 >= member }) else { return aware.append(member) }
        if aware[place] != member { aware.insert(member, at: place) }
    }

    private mutating func begin(_ now: Int64) {
        if case .member = state { state = .leaving(since: now, hasTold: false) }
    }

    /// - Parameters:
    ///   - configuration: The newest that the member has applied, with itself or without.
    package mutating func tick(now: Int64, own: MemberID, _ configuration: Configuration) -> Verdict {
        switch state {
        case .member, .gone: return .stay
        case .known(let since):
            guard now - since >= 2 * electionMilliseconds else { return .stay }
            state = .gone
            return .leave(knownToMajority: true)
        case .leaving(let since, let hasTold):
            if isKnownToMajority(configuration, but: own) {
                state = .known(since: now)
                return .stay
            }
            guard now - since >= Self.patienceMilliseconds else { return .stay }
            if !hasApplied {
                state = .gone
                return .leave(knownToMajority: false)
            }
            state = .leaving(since: since, hasTold: true)
            return hasTold ? .stay : .stayAndTell
        }
    }

    private func isKnownToMajority(_ configuration: Configuration, but own: MemberID) -> Bool {
        var staying = configuration
        staying.voters.removeAll { $0 == own }
        staying.outgoing.removeAll { $0 == own }
        return Quorum.outcome(of: staying) { aware.contains($0) ? true : nil } == .won
    }
}
