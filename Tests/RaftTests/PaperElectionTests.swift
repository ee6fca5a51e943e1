internal import StrakeRaft
internal import Testing

/// Raft §5.1, §5.2 and §5.4.1, one test for each claim.
struct PaperElectionTests {
    // MARK: §5.1 Terms

    static let laterTermBodies: [Message.Body] = [
        .requestVote(last: .at(1, term: 1)), .vote(.no), .append(after: 1, term: 1), .accepted(1), .heartbeat(),
        .heartbeatResponse(Message.HeartbeatAnswer(round: 0, committed: .zero)),
    ]

    @Test(arguments: laterTermBodies)
    func `5_1 whoever sees a later term takes it over, and a leader or candidate steps down`(body: Message.Body) {
        var follower = Solo()
        follower.receive(body, term: 9)
        #expect(follower.node.term.rawValue == 9)

        var candidate = Solo()
        candidate.step(.campaign)
        candidate.receive(body, term: 9)
        #expect(candidate.node.roleKind == .follower && candidate.node.term.rawValue == 9)

        var leader = Solo()
        leader.lead()
        leader.receive(body, term: 9)
        #expect(leader.node.roleKind == .follower && leader.node.term.rawValue == 9)
    }

    @Test(arguments: laterTermBodies)
    func `5_1 a request of an earlier term is not followed`(body: Message.Body) {
        var node = Solo(log: [1, 3], term: 7)
        let before = node.node.status
        let answers = node.receive(body, term: 6)
        #expect(node.node.status == before)
        for answer in answers {
            #expect(answer.term.rawValue == 7)
            switch answer.body {
            case .vote(let vote): #expect(!vote.granted)
            case .heartbeatResponse: break
            default: Issue.record("\(answer.body)")
            }
        }
    }

    @Test func `5_1 terms and votes are remembered over a restart`() {
        var disk = HardState()
        var node = Solo()
        for effect in node.step(.campaign) {
            if case .persist(let write) = effect, let state = write.hardState { disk = state }
        }
        #expect(
            disk == HardState(term: Term(rawValue: 2), vote: MemberID(rawValue: 1), committed: LogIndex(rawValue: 1)))
        var again = Solo(term: 2, vote: 1)
        #expect(again.receive(.requestVote(last: .at(9, term: 2)), term: 2).words == ["vote no"])
    }

    // MARK: §5.2 Leader election

    @Test func `5_2 members begin as followers`() {
        #expect(Solo().node.roleKind == .follower)
        #expect(Solo(term: 5, vote: 1).node.roleKind == .follower)
    }

    @Test func `5_2 a follower that keeps hearing from its leader never campaigns`() {
        var node = Solo()
        for _ in 0..<100 {
            node.tick(9)
            node.receive(.heartbeat(), term: 2)
        }
        #expect(node.node.roleKind == .follower && node.node.term.rawValue == 2)
    }

    @Test func `5_2 a follower that hears nothing raises its term, votes for itself and asks all others`() {
        var node = Solo(voters: [1, 2, 3, 4, 5])
        var messages: [Message] = []
        while node.node.roleKind == .follower { messages += node.tick() }
        #expect(node.node.roleKind == .candidate && node.node.term.rawValue == 2)
        #expect(node.node.status.hardState.vote == node.node.id)
        #expect(messages.map(\.to.rawValue) == [2, 3, 4, 5])
        #expect(Set(messages.words) == ["request-vote last=1/1"])
    }

    @Test func `5_2 nobody hears of a candidacy that is not durable`() {
        var node = Solo()
        let effects = node.step(.campaign)
        #expect(!effects.contains { if case .send = $0 { true } else { false } })
        #expect(node.settle().count == 2)
    }

    @Test(
        arguments: [
            (1, 0, 0, .leader), (2, 0, 0, .candidate), (2, 1, 0, .leader), (2, 0, 1, .follower),
            (3, 1, 0, .leader), (3, 0, 1, .candidate), (3, 1, 1, .leader), (3, 0, 2, .follower),
            (4, 1, 0, .candidate), (4, 2, 0, .leader), (4, 0, 2, .follower), (4, 1, 2, .follower),
            (5, 1, 0, .candidate), (5, 2, 0, .leader), (5, 2, 2, .leader), (5, 1, 2, .candidate), (5, 0, 3, .follower),
        ] as [(UInt64, UInt64, UInt64, RoleKind)])
    func `5_2 a candidate wins with a majority of votes, and gives up without hope`(
        size: UInt64, yes: UInt64, no: UInt64, outcome: RoleKind
    ) {
        var node = Solo(voters: Array(1...size))
        node.step(.campaign)
        node.settle()
        for voter in 0..<yes { node.receive(.vote(.yes), from: 2 + voter, term: 2) }
        for voter in 0..<no { node.receive(.vote(.no), from: 2 + yes + voter, term: 2) }
        #expect(node.node.roleKind == outcome)
    }

    @Test func `5_2 a vote counts once, however often it comes`() {
        var node = Solo(voters: [1, 2, 3, 4, 5])
        node.step(.campaign)
        node.settle()
        for _ in 0..<5 { node.receive(.vote(.yes), from: 2, term: 2) }
        #expect(node.node.roleKind == .candidate)
        // Nor does it count after a change of mind, nor from a stranger.
        node.receive(.vote(.no), from: 2, term: 2)
        for stranger in 7...9 as ClosedRange<UInt64> { node.receive(.vote(.yes), from: stranger, term: 2) }
        #expect(node.node.roleKind == .candidate)
        node.receive(.vote(.yes), from: 3, term: 2)
        #expect(node.node.roleKind == .leader)
    }

    @Test(arguments: [(nil, 2, true), (2, 2, true), (3, 2, false), (1, 2, false)] as [(UInt64?, UInt64, Bool)])
    func `5_2 a member votes for one candidate a term, the first that asks`(
        vote: UInt64?, candidate: UInt64, granted: Bool
    ) {
        var node = Solo(term: 4, vote: vote)
        let answers = node.receive(.requestVote(last: .at(1, term: 1)), from: candidate, term: 4)
        #expect(answers.words == [granted ? "vote yes" : "vote no"])
        // In the next term it is free again.
        #expect(node.receive(.requestVote(last: .at(1, term: 1)), from: 3, term: 5).words == ["vote yes"])
    }

    @Test func `5_2 a vote is durable before it is given`() {
        var node = Solo()
        let request = Message(
            from: MemberID(rawValue: 2), to: node.node.id, term: Term(rawValue: 2),
            body: .requestVote(last: .at(1, term: 1)))
        let effects = node.step(.receive(request))
        #expect(effects.contains { if case .persist(let write) = $0 { write.mustSync } else { false } })
        #expect(!effects.contains { if case .send = $0 { true } else { false } })
        #expect(node.settle().words == ["vote yes"])
    }

    @Test func `5_2 a candidate follows a leader of its own term, and ignores one of an earlier`() {
        var node = Solo(term: 4)
        node.step(.campaign)
        node.settle()
        node.receive(.append(after: 1, term: 1), from: 2, term: 4)
        #expect(node.node.roleKind == .candidate)
        node.receive(.append(after: 1, term: 1), from: 3, term: 5)
        #expect(node.node.roleKind == .follower && node.node.leader == MemberID(rawValue: 3))
    }

    @Test func `5_2 a split vote ends in another election, in a later term`() {
        var node = Solo(voters: [1, 2, 3, 4])
        node.step(.campaign)
        node.settle()
        node.receive(.vote(.yes), from: 2, term: 2)
        let messages = node.tick(20)
        #expect(node.node.term.rawValue >= 3 && node.node.roleKind == .candidate)
        #expect(messages.allSatisfy { $0.term.rawValue >= 3 })
    }

    @Test func `5_2 election timeouts are spread over an interval`() {
        var timeouts: Set<Int> = []
        for seed in 0..<200 as Range<UInt64> {
            var node = Solo(seed: seed)
            var ticks = 0
            while node.node.roleKind == .follower {
                node.tick()
                ticks += 1
            }
            timeouts.insert(ticks)
        }
        #expect(timeouts == Set(10..<20))
    }

    @Test func `5_2 two members seldom time out together again`() {
        var together = 0
        for seed in 0..<200 as Range<UInt64> {
            var (one, two) = (Solo(1, seed: seed * 2), Solo(2, seed: seed * 2 + 1))
            // Both have just lost an election of the same term.
            for _ in 0..<20 where one.node.roleKind == .follower && two.node.roleKind == .follower {
                one.tick()
                two.tick()
            }
            if one.node.roleKind == two.node.roleKind { together += 1 }
        }
        #expect(together < 40)
    }

    @Test func `5_2 a leader sends heartbeats each interval, and first of all an entry`() {
        var options = RaftOptions.plain
        options.heartbeatTicks = 3
        var node = Solo(options: options)
        #expect(node.lead().words == ["append after 1/1 [2/2] committed=1", "append after 1/1 [2/2] committed=1"])
        #expect(node.tick(2).isEmpty)
        #expect(node.tick(1).words == ["heartbeat committed=0 round=0", "heartbeat committed=0 round=0"])
        #expect(node.tick(6).count == 4)
    }

    // MARK: §5.4.1 Election restriction

    @Test(
        arguments: [
            ([1], 1, 1, true), ([1], 2, 1, true), ([1, 1], 1, 1, false), ([1, 1], 2, 1, true), ([1, 1], 3, 1, true),
            ([1, 2], 9, 1, false), ([1, 2], 2, 2, true), ([1, 1, 1], 2, 2, true), ([1, 1, 1, 3], 9, 2, false),
            ([1, 2, 2], 2, 2, false), ([1, 2, 2], 3, 2, true), ([1, 2, 2, 2, 2], 1, 3, true),
        ] as [([UInt64], UInt64, UInt64, Bool)])
    func `5_4_1 a voter refuses a candidate whose log is behind its own`(
        log: [UInt64], lastIndex: UInt64, lastTerm: UInt64, granted: Bool
    ) {
        for ballot in [Message.Ballot.vote, .preVote] {
            var node = Solo(log: log)
            let body = Message.Body.requestVote(last: .at(lastIndex, term: lastTerm), ballot: ballot)
            let committed: EntryID = granted ? .zero : .at(1, term: 1)
            let answer = Message.VoteAnswer(ballot: ballot, granted: granted, committed: committed)
            #expect(node.receive(body, term: 5).map(\.body) == [.vote(answer)])
        }
    }
}
