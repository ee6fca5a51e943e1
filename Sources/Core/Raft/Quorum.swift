/// Majorities, of one set of voters and of the two of a joint configuration (Raft §6).
package enum Quorum {
    package enum Outcome: Hashable, Sendable {
        case pending, won, lost
    }

    /// The highest position that a majority has reached; everything when there are no voters, so that the empty half of
    /// a configuration that is not joint decides nothing.
    ///
    /// Quadratic and without allocating: clusters have three to seven voters, and the leader asks on each answer.
    @inline(__always)
    package static func committed(of reached: some Collection<UInt64>) -> UInt64 {
        var voters = 0
        for _ in reached { voters += 1 }
        guard voters > 0 else { return .max }
        let majority = voters / 2 + 1
        var best: UInt64 = 0
        for candidate in reached where candidate > best {
            var holders = 0
            for other in reached where other >= candidate { holders += 1 }
            if holders >= majority { best = candidate }
        }
        return best
    }

    /// A vote is won by a majority of yes, and lost as soon as the missing answers could no longer make one.
    package static func outcome(voters: [MemberID], answer: (MemberID) -> Bool?) -> Outcome {
        let majority = voters.count / 2 + 1
        var granted = 0
        var missing = 0
        for voter in voters {
            switch answer(voter) {
            case true?: granted += 1
            case false?: break
            case nil: missing += 1
            }
        }
        if voters.isEmpty || granted >= majority { return .won }
        return granted + missing >= majority ? .pending : .lost
    }

    /// A joint vote needs both halves.
    package static func outcome(of configuration: Configuration, answer: (MemberID) -> Bool?) -> Outcome {
        let incoming = outcome(voters: configuration.voters, answer: answer)
        let outgoing = outcome(voters: configuration.outgoing, answer: answer)
        if incoming == .lost || outgoing == .lost { return .lost }
        return incoming == .won && outgoing == .won ? .won : .pending
    }
}
