package import StrakeRaft

/// What the digests of several members say about them.
package struct DigestComparison: Hashable, Sendable {
    /// Members whose state differs from that of a majority of the voters; ascending.
    package var odd: [MemberID] = []
    /// Members differ, and no majority says who is right, nor ever will: too few agree.
    package var isSplit = false
    /// Members differ, and it cannot be told yet who is right: of some voters nothing is known.
    package var isOpen = false

    private struct Vote {
        var member: MemberID
        var value: UInt64
    }

    /// - Parameters:
    ///   - digests: Of each member that is known, this one included.
    ///   - voters: Of the configuration.
    package init(of digests: [MemberID: [StateDigest]], voters: [MemberID]) {
        var ballots: [LogIndex: [Vote]] = [:]
        for member in digests.keys.sorted() {
            for digest in digests[member] ?? [] {
                ballots[digest.index, default: []].append(Vote(member: member, value: digest.value))
            }
        }
        let quorum = voters.count / 2 + 1
        var odd: Set<MemberID> = []
        for ballot in ballots.values {
            let (value, count) = Self.mostVotes(in: ballot, of: voters)
            if count >= quorum { odd.formUnion(ballot.filter { $0.value != value }.map(\.member)) }
        }
        for ballot in ballots.values {
            // What the odd ones differ in is settled.
            let rest = ballot.filter { !odd.contains($0.member) }
            guard Set(rest.map(\.value)).count > 1 else { continue }
            let missing = voters.count { voter in !odd.contains(voter) && !rest.contains { $0.member == voter } }
            if Self.mostVotes(in: rest, of: voters).count + missing < quorum { isSplit = true } else { isOpen = true }
        }
        self.odd = odd.sorted()
    }

    /// The value that most voters have, and how many.
    private static func mostVotes(in ballot: [Vote], of voters: [MemberID]) -> (value: UInt64, count: Int) {
        var votes: [UInt64: Int] = [:]
        for vote in ballot where voters.contains(vote.member) { votes[vote.value, default: 0] += 1 }
        return votes.max { ($0.value, $0.key) < ($1.value, $1.key) }.map { ($0.key, $0.value) } ?? (0, 0)
    }
}
