internal import StrakeRaft
internal import StrakeRandom
internal import Testing

struct QuorumTests {
    @Test(
        arguments: [
            ([], UInt64.max),  // an empty half of a joint configuration commits everything
            ([12], 12), ([0], 0),
            ([12, 5], 5), ([0, 5], 0), ([7, 7], 7),
            ([12, 5, 9], 9), ([0, 0, 9], 0), ([5, 5, 0], 5), ([9, 12, 5], 9), ([1, 2, 3], 2), ([4, 4, 4], 4),
            ([101, 103, 103, 104], 103), ([1, 2, 3, 4], 2), ([0, 0, 3, 4], 0), ([1, 1, 1, 9], 1),
            ([101, 102, 103, 103, 104], 103), ([5, 4, 3, 2, 1], 3), ([0, 0, 0, 7, 7], 0), ([0, 0, 7, 7, 7], 7),
            ([1, 2, 3, 4, 5, 6, 7], 4), ([9, 9, 9, 9, 0, 0, 0], 9),
        ] as [([UInt64], UInt64)])
    func `the committed index is the highest that a majority stores`(reached: [UInt64], committed: UInt64) {
        #expect(Quorum.committed(of: reached) == committed)
        #expect(Quorum.committed(of: reached.reversed()) == committed)
    }

    @Test func `counting agrees with sorting for all sets of up to six voters`() {
        var random = SplitMix64(seed: 11)
        for _ in 0..<2_000 {
            let count = Int.random(in: 1...6, using: &random)
            let reached = (0..<count).map { _ in UInt64.random(in: 0...8, using: &random) }
            let sorted = reached.sorted(by: >)
            #expect(Quorum.committed(of: reached) == sorted[count / 2])
        }
    }

    /// y yes, n no, - no answer yet.
    @Test(
        arguments: [
            ("", .won), ("y", .won), ("n", .lost), ("-", .pending),
            ("yy", .won), ("yn", .lost), ("nn", .lost), ("y-", .pending), ("n-", .lost), ("--", .pending),
            ("yy-", .won), ("yn-", .pending), ("nn-", .lost), ("y--", .pending), ("n--", .pending), ("yny", .won),
            ("nny", .lost), ("---", .pending),
            ("yy--", .pending), ("yyy-", .won), ("nn--", .lost), ("yynn", .lost), ("yyn-", .pending),
            ("yyy--", .won), ("nnn--", .lost), ("yynn-", .pending), ("yn---", .pending),
        ] as [(String, Quorum.Outcome)])
    func `a vote is decided as soon as no missing answer can change it`(ballots: String, outcome: Quorum.Outcome) {
        let ballots = Array(ballots)
        let voters = ballots.indices.map { MemberID(rawValue: UInt64($0 + 1)) }
        #expect(Quorum.outcome(voters: voters) { answer(ballots[Int($0.rawValue) - 1]) } == outcome)
    }

    /// Members 1 to n answer with the n-th letter.
    @Test(
        arguments: [
            ([1, 2, 3], [], "yy-", .won), ([1, 2, 3], [1, 2, 3], "yy-", .won),
            ([1, 2, 3], [4, 5, 6], "yy-yy-", .won), ([1, 2, 3], [4, 5, 6], "yy-y--", .pending),
            ([1, 2, 3], [4, 5, 6], "yyynn-", .lost), ([1, 2, 3], [4, 5, 6], "nn-yyy", .lost),
            ([1, 2, 3], [3, 4, 5], "y-y--", .pending), ([1, 2, 3], [3, 4, 5], "y-yy-", .won),
            ([1], [2], "y-", .pending), ([1], [2], "yn", .lost), ([1], [2], "yy", .won),
            ([1, 2], [1], "y-", .pending), ([1, 2], [1], "n-", .lost), ([1], [1, 2, 3], "y--", .pending),
            ([1], [1, 2, 3], "y-y", .won), ([1, 2, 3, 4], [1, 2, 3], "yynn", .lost),
        ] as [([UInt64], [UInt64], String, Quorum.Outcome)])
    func `a joint vote needs both halves`(
        incoming: [UInt64], outgoing: [UInt64], ballots: String, outcome: Quorum.Outcome
    ) {
        let ballots = Array(ballots)
        let configuration = Configuration(
            voters: incoming.map(MemberID.init(rawValue:)), outgoing: outgoing.map(MemberID.init(rawValue:)))
        #expect(Quorum.outcome(of: configuration) { answer(ballots[Int($0.rawValue) - 1]) } == outcome)
    }

    private func answer(_ letter: Character) -> Bool? {
        switch letter {
        case "y": true
        case "n": false
        default: nil
        }
    }
}
