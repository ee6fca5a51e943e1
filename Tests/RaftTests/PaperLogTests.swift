internal import StrakeRaft
internal import StrakeRandom
internal import Testing

/// Raft §5.3, §5.4.2, §5.5 and §8, one test for each claim.
struct PaperLogTests {
    // MARK: §5.3 Log replication

    @Test func `5_3 a leader appends a command and sends it to all others at once`() {
        var node = Solo()
        node.lead()
        for member in [2, 3] as [UInt64] { node.receive(.accepted(2), from: member) }
        let effects = node.step(.propose([Array("x".utf8)]))
        #expect(effects.map(\.summary).contains("proposed 1 at 2/3"))
        #expect(node.settle().words == Array(repeating: "append after 2/2 [2/3:x] committed=2", count: 2))
    }

    @Test(
        arguments: [
            (1, 0, true), (2, 0, false), (2, 1, true), (3, 0, false), (3, 1, true), (3, 2, true), (4, 1, false),
            (4, 2, true), (5, 1, false), (5, 2, true), (5, 4, true), (7, 2, false), (7, 3, true),
        ] as [(UInt64, UInt64, Bool)])
    func `5_3 an entry is committed when a majority stores it`(size: UInt64, others: UInt64, committed: Bool) {
        var node = Solo(voters: Array(1...size))
        node.lead()
        for member in 0..<others { node.receive(.accepted(2), from: 2 + member) }
        #expect(node.node.committed.rawValue == (committed ? 2 : 1))
        #expect(node.applied.count == (committed ? 1 : 0))
    }

    @Test func `5_3 an answer counts once, and a learner's not at all`() {
        let ids = (1...6).map { MemberID(rawValue: $0) }
        var node = Solo(configuration: Configuration(voters: Array(ids[..<5]), learners: [ids[5]]))
        node.lead()
        for _ in 0..<3 { node.receive(.accepted(2), from: 2) }
        for _ in 0..<3 { node.receive(.accepted(2), from: 6) }
        #expect(node.node.committed.rawValue == 1)
        node.receive(.accepted(2), from: 3)
        #expect(node.node.committed.rawValue == 2)
    }

    @Test func `5_3 the leader's own copy counts when its own disk has it`() {
        var node = Solo()
        node.step(.campaign)
        node.settle()
        node.step(
            .receive(Message(from: MemberID(rawValue: 2), to: node.node.id, term: node.node.term, body: .vote(.yes))))
        node.step(
            .receive(Message(from: MemberID(rawValue: 2), to: node.node.id, term: node.node.term, body: .accepted(2))))
        #expect(node.node.committed.rawValue == 1)
        node.settle()
        #expect(node.node.committed.rawValue == 2)
    }

    @Test func `5_3 with an entry all before it are committed, also those of earlier leaders, and applied in order`() {
        var node = Solo(log: [1, 2, 2, 3])
        node.lead()
        node.receive(.accepted(5))
        #expect(node.node.committed.rawValue == 5)
        #expect(node.applied.map(\.index.rawValue) == [2, 3, 4, 5])
    }

    @Test func `5_3 followers learn the commit index from the next message, and apply`() {
        var node = Solo()
        node.receive(.append(after: 1, term: 1, [2, 2]), term: 2)
        #expect(node.applied.isEmpty)
        node.receive(.append(after: 3, term: 2, [], committed: 2), term: 2)
        #expect(node.applied.map(\.index.rawValue) == [2])
        node.receive(.heartbeat(committed: 3), term: 2)
        #expect(node.applied.map(\.index.rawValue) == [2, 3])
    }

    @Test(
        arguments: [
            (1, [], 5, 1), (1, [2], 5, 2), (2, [], 1, 1), (2, [2, 2], 3, 3), (2, [2], 9, 3), (5, [], 9, 5),
            (5, [3], 5, 5), (5, [3], 6, 6),
        ] as [(UInt64, [UInt64], UInt64, UInt64)])
    func `figure 2 a follower commits no further than a message proves its log to agree`(
        index: UInt64, new: [UInt64], leaderCommit: UInt64, committed: UInt64
    ) {
        var node = Solo(log: [1, 2, 2, 2, 2])
        node.receive(.append(after: index, term: index > 1 ? 2 : 1, new, committed: leaderCommit), term: 3)
        #expect(node.node.committed.rawValue == committed)
    }

    @Test(
        arguments: [
            ([1, 1, 2], 3, 2, true), ([1, 1, 2], 2, 1, true), ([1, 1, 2], 1, 1, true),
            ([1, 1, 2], 3, 1, false), ([1, 1, 2], 2, 2, false), ([1, 1, 2], 4, 2, false), ([1], 2, 1, false),
        ] as [([UInt64], UInt64, UInt64, Bool)])
    func `5_3 a follower refuses entries unless it has the one before them`(
        log: [UInt64], index: UInt64, term: UInt64, accepted: Bool
    ) {
        var node = Solo(log: log)
        let answers = node.receive(.append(after: index, term: term, [3]), term: 3)
        #expect(answers.count == 1 && answers[0].body.summary.hasPrefix(accepted ? "accepted" : "rejected"))
        #expect(node.terms == (accepted ? Array(log[..<Int(index)]) + [3] : log))
    }

    @Test(
        arguments: [
            ([1, 1, 2], 3, 2, [3], [1, 1, 2, 3]),  // append
            ([1, 1, 2], 2, 1, [3, 3], [1, 1, 3, 3]),  // replace the end
            ([1, 1, 2, 2, 2], 2, 1, [3], [1, 1, 3]),  // a conflict takes everything after it along
            ([1, 1, 2, 2], 1, 1, [1, 2, 3], [1, 1, 2, 3]),  // keep what agrees, replace from the conflict on
            ([1, 1, 2], 1, 1, [1], [1, 1, 2]),  // an old message takes nothing away
            ([1, 1, 2], 1, 1, [], [1, 1, 2]), ([1, 1, 2], 3, 2, [], [1, 1, 2]),
            ([1, 1, 2], 1, 1, [1, 2], [1, 1, 2]), ([1], 1, 1, [1, 1, 1], [1, 1, 1, 1]),
        ] as [([UInt64], UInt64, UInt64, [UInt64], [UInt64])])
    func `5_3 a conflict and all after it is deleted, and only a conflict`(
        log: [UInt64], index: UInt64, term: UInt64, new: [UInt64], result: [UInt64]
    ) {
        var node = Solo(log: log)
        let answers = node.receive(.append(after: index, term: term, new), term: 3)
        #expect(node.terms == result)
        #expect(answers.words == ["accepted through \(index + UInt64(new.count))"])
    }

    @Test func `figure 2 what is stored is durable before it is answered`() {
        var node = Solo()
        let append = Message(
            from: MemberID(rawValue: 2), to: node.node.id, term: Term(rawValue: 2),
            body: .append(after: 1, term: 1, [2, 2]))
        let effects = node.step(.receive(append))
        #expect(!effects.contains { if case .send = $0 { true } else { false } })
        #expect(node.settle().words == ["accepted through 3"])
    }

    @Test func `5_5 a message that comes twice does no more than once`() {
        var node = Solo()
        for _ in 0..<3 {
            let answers = node.receive(.append(after: 1, term: 1, [2, 2], committed: 3), term: 2)
            #expect(answers.words == ["accepted through 3"])
        }
        #expect(node.terms == [1, 2, 2] && node.applied.count == 2)
    }

    /// Figure 7: the leader of term 8, and followers (a) to (f).
    static let figure7Leader: [UInt64] = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6]
    static let figure7Followers: [[UInt64]] = [
        [1, 1, 1, 4, 4, 5, 5, 6, 6],
        [1, 1, 1, 4],
        [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
        [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
        [1, 1, 1, 4, 4, 4, 4],
        [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
    ]

    @Test(arguments: figure7Followers)
    func `figure 7 the leader makes the follower's log its own, by few messages`(log: [UInt64]) {
        var leader = Solo(1, log: Self.figure7Leader, term: 7)
        var follower = Solo(2, log: log, term: 7)
        var queue = leader.lead()
        var rejections = 0
        while let message = queue.first {
            queue.removeFirst()
            if message.to.rawValue == 2 {
                queue += follower.receive(message.body, from: 1, term: message.term.rawValue)
            } else if message.to.rawValue == 1 {
                if message.body.summary.hasPrefix("rejected") { rejections += 1 }
                queue += leader.receive(message.body, from: 2, term: message.term.rawValue)
            }
        }
        #expect(follower.terms == Self.figure7Leader + [8])
        #expect(leader.node.committed.rawValue == 11 && follower.node.committed.rawValue == 11)
        #expect(rejections <= 2)
    }

    @Test func `5_3 the search for agreement takes no more rejections than there are terms`() {
        var random = SplitMix64(seed: 5)
        for _ in 0..<300 {
            // A common beginning, then terms of which only one of the two has heard: even ones, and odd ones.
            let common = Self.terms(after: [1], count: Int.random(in: 0...10, using: &random), using: &random)
            let split = (common[common.count - 1] / 2 + 1) * 2
            let logs = (0...1).map { place in
                let count = Int.random(in: 0...20, using: &random)
                if count == 0 { return common }
                return Self.terms(after: common + [split + UInt64(place)], count: count, using: &random)
            }
            var leader = Solo(1, voters: [1, 2], log: logs[0], term: 99)
            var follower = Solo(2, voters: [1, 2], log: logs[1], term: 99)
            let bound = min(Set(leader.terms).count, Set(follower.terms).count)
            var queue = leader.lead()
            var rejections = 0
            while let message = queue.first {
                queue.removeFirst()
                if message.body.summary.hasPrefix("rejected") { rejections += 1 }
                if message.to.rawValue == 2 {
                    queue += follower.receive(message.body, from: 1, term: message.term.rawValue)
                } else {
                    queue += leader.receive(message.body, from: 2, term: message.term.rawValue)
                }
            }
            #expect(follower.terms == leader.terms && rejections <= bound)
        }
    }

    private static func terms(after start: [UInt64], count: Int, using random: inout SplitMix64) -> [UInt64] {
        var terms = start
        for _ in 0..<count {
            terms.append(terms[terms.count - 1] + (Int.random(in: 0..<3, using: &random) == 0 ? 2 : 0))
        }
        return terms
    }

    // MARK: §5.4.2 Committing entries from previous terms

    @Test(
        arguments: [
            ([1, 2, 2], 3, 1),  // the majority holds all of the earlier term: nothing is committed
            ([1, 2, 2], 2, 1), ([1, 2, 2], 4, 4),  // with the own one everything is
            ([1, 2, 3], 3, 1), ([1, 2, 3], 4, 4),
        ] as [([UInt64], UInt64, UInt64)])
    func `5_4_2 only entries of the leader's own term are committed by counting`(
        log: [UInt64], stored: UInt64, committed: UInt64
    ) {
        var node = Solo(log: log)
        node.lead()
        node.receive(.accepted(stored))
        #expect(node.node.committed.rawValue == committed)
    }

    // MARK: §8 Client interaction

    @Test func `8 a leader begins its term with an entry of nothing`() {
        var node = Solo(log: [1, 2])
        let entries = node.lead().compactMap { message -> [Entry]? in
            if case .append(let append) = message.body { append.entries } else { nil }
        }
        #expect(entries.count == 2)
        #expect(entries.allSatisfy { $0.count == 1 && $0[0].kind == .empty && $0[0].term.rawValue == 3 })
    }

    @Test func `8 a read waits for an entry of the leader's term, and for a majority to confirm the leader`() {
        var node = Solo()
        node.lead()
        node.step(.readIndex(context: 7))
        #expect(node.settle().isEmpty)
        // The entry is committed: now the leader asks whether it still leads.
        let messages = node.receive(.accepted(2))
        #expect(messages.words.filter { $0.hasPrefix("heartbeat") }.count == 2)
        #expect(!node.seen.contains(.readReady(context: 7, index: LogIndex(rawValue: 2))))
        node.receive(.heartbeatResponse(Message.HeartbeatAnswer(round: 1, committed: .zero)), from: 3)
        #expect(node.seen.contains(.readReady(context: 7, index: LogIndex(rawValue: 2))))
    }
}
