internal import StrakeRaft
internal import Testing

/// Raft §6 and §7, and chapters 3, 4, 6, 9 and 10 of the thesis, one test for each claim.
struct PaperMembershipTests {
    private static let settled = "nodes 1 2 3 joining=4,5\ncampaign 1\nstabilize"
    private static let plain = "nodes 1 2 3 joining=4,5 prevote=off checkquorum=off\ncampaign 1\nstabilize"

    private func ids(_ values: UInt64...) -> [MemberID] { values.map(MemberID.init(rawValue:)) }

    // MARK: §6 Joint consensus

    @Test(
        arguments: [
            ([2, 3], false), ([4, 5], false), ([2, 4], true), ([3, 5], true), ([2], false), ([2, 3, 4, 5], true),
        ] as [([UInt64], Bool)])
    func `6 a joint configuration elects by both majorities`(yes: [UInt64], wins: Bool) {
        let configuration = Configuration(voters: ids(1, 4, 5), outgoing: ids(1, 2, 3))
        var node = Solo(configuration: configuration)
        node.step(.campaign)
        #expect(Set(node.settle().map(\.to.rawValue)) == [2, 3, 4, 5])
        for voter in yes { node.receive(.vote(.yes), from: voter, term: 2) }
        #expect(node.node.isLeader == wins)
    }

    @Test(
        arguments: [([2, 3], false), ([4, 5], false), ([2, 4], true), ([3, 5], true)] as [([UInt64], Bool)])
    func `6 a joint configuration commits by both majorities`(stored: [UInt64], committed: Bool) {
        var node = Solo(configuration: Configuration(voters: ids(1, 4, 5), outgoing: ids(1, 2, 3)))
        node.lead()
        for member in stored { node.receive(.accepted(2), from: member) }
        #expect((node.node.committed.rawValue == 2) == committed)
    }

    @Test func `6 entries go to all members of both configurations, and to learners`() {
        let configuration = Configuration(voters: ids(1, 4), outgoing: ids(1, 2, 3), learners: ids(6))
        var node = Solo(configuration: configuration)
        #expect(node.lead().map(\.to.rawValue) == [2, 3, 4, 6])
    }

    @Test func `6 a leader that is not in the new configuration leads until it is committed, and steps down`() {
        var talk = Conversation(Self.settled)
        talk.run("change 1 -1 +4\nstabilize")
        #expect(!talk[1].isLeader && talk[1].configuration == Configuration(voters: ids(2, 3, 4)))
        #expect(talk.leaders.count == 1 && talk.leaders != [1])
        talk.run("propose \(talk.leaders[0]) x\nstabilize")
        #expect(talk[4].applied == talk[2].applied && talk[4].applied > talk[1].applied)
    }

    @Test func `6 a follower that hears from its leader is not disturbed by one that was removed`() {
        var talk = Conversation(Self.settled)
        // Member 3 does not hear of its removal, and goes on asking.
        talk.run("cut 1 3\ncut 2 3\nchange 1 -3\nsettle 1 2\ndrop\nheal\ncut 1 3")
        let term = talk[1].term
        for _ in 0..<20 { talk.run("tick 1\ntick 3 3\nsettle 1 2\ndeliver 3->2\ndeliver 2->3\ndeliver 3->1") }
        #expect(talk.leaders == [1] && talk[1].term == term && talk[2].term == term)
    }

    @Test func `6 the last of two members knows that it is alone before the other one may go, also after a power cut`()
    {
        let one = MemberID(rawValue: 1)
        let two = MemberID(rawValue: 2)
        let removal = LogIndex(rawValue: 3)
        var talk = Conversation("nodes 1 2\ncampaign 1\nstabilize")
        talk.run("change 1 -2\npersist 1\ndeliver 1->2\npersist 2\ndeliver 2->1")
        // It counts already, but the disk does not know: it is not applied, and 2 is not told that it may go.
        #expect(talk[1].configuration == Configuration(voters: [one]) && talk[1].committed == removal)
        talk.run("apply 1")
        #expect(talk[1].applied < removal && !talk[1].hasRemoved(two, since: removal))
        // So when the power fails now, 2 is there to vote.
        talk.run("drop\ncrash 1\nrestart 1\ncampaign 1\nsettle 1")
        #expect(talk.leaders.isEmpty && talk[1].configuration == Configuration(voters: [one, two]))
        talk.run("forget 2\nstabilize")
        #expect(talk.leaders == [1] && talk[1].configuration == Configuration(voters: [one]))
        // Now it knows for good.
        #expect(talk[1].applied >= removal && talk[1].hasRemoved(two, since: removal))
        talk.run("crash 1\nrestart 1\ncrash 2\ncampaign 1\nsettle 1")
        #expect(talk.leaders == [1] && talk[1].configuration == Configuration(voters: [one]))
    }

    @Test func `6 a member knows for good that it is alone as soon as it has applied it`() {
        var talk = Conversation("nodes 1 2\ncampaign 1\nstabilize")
        talk.run("change 1 -2\npersist 1\ndeliver 1->2\npersist 2\ndeliver 2->1\npersist 1\napply 1")
        #expect(talk[1].applied.rawValue == 3)
        // Not by a checkpoint: what was applied is lost, and nothing is in the log behind the change.
        talk.run("crash 1\nrestart 1\ncrash 2\ncampaign 1\nsettle 1")
        #expect(talk.leaders == [1] && talk[1].applied.rawValue == 4)
    }

    @Test func `6 a removed member knows nothing of who has not synced the change, or is behind`() {
        let four = MemberID(rawValue: 4)
        var talk = Conversation("nodes 1 2 3 4\ncampaign 1\nstabilize\nchange 1 -4\npersist 1")
        talk.run("deliver 1->3\npersist 3\ncut 1 3\ndrop 3->1\nsettle 1 2 4")
        let since = talk[1].applied
        #expect(talk[1].hasRemoved(four, since: since))
        // It has the entry, and does not know that it is committed: its next election would need three votes of four.
        #expect(talk[3].lastEntry.index == since && !talk[3].hasRemoved(four, since: since))
        // Nothing is known of what comes after the end of the own log.
        #expect(!talk[1].hasRemoved(four, since: since + 1))
    }

    // MARK: Thesis 3.10 Leadership transfer

    @Test func `thesis 3_10 the next leader has everything, and is elected within a lease`() {
        var talk = Conversation(Self.settled)
        talk.run("propose 1 a b\ntransfer 1 3\nstabilize")
        #expect(talk.leaders == [3] && talk[3].term.rawValue == 3)
        #expect(talk[3].committed == talk[3].lastEntry.index)
    }

    @Test func `thesis 3_10 proposals wait while leadership is handed over, and go on if that fails`() {
        var talk = Conversation(Self.settled)
        talk.run("cut 1 2\ntransfer 1 2")
        #expect(talk.run("propose 1 x") == "1> refused transferring")
        talk.run("tick 1 10")
        #expect(talk.run("propose 1 x").contains("proposed"))
        #expect(talk.leaders == [1])
    }

    @Test func `thesis 3_10 nothing is handed to a learner`() {
        var talk = Conversation(Self.settled)
        talk.run("change 1 ~4\nstabilize\ntransfer 1 4\nstabilize")
        #expect(talk.leaders == [1] && talk[1].status.transferee == nil)
    }

    // MARK: Thesis 4 Membership

    @Test func `thesis 4_1 there is one change at a time`() {
        var talk = Conversation(Self.settled)
        talk.run("change 1 +4")
        #expect(talk.run("change 1 +5") == "1> refused configurationPending")
        talk.run("stabilize")
        #expect(talk.run("change 1 +5").contains("proposed"))
    }

    @Test func `a new leader changes nothing before an entry of its own term is committed`() {
        var node = Solo()
        node.lead()
        let change = ConfigurationChange([.addVoter(MemberID(rawValue: 4))])
        #expect(node.step(.proposeConfiguration(change)).contains(.proposalRefused(.notReady)))
        node.receive(.accepted(2))
        #expect(!node.step(.proposeConfiguration(change)).contains(.proposalRefused(.notReady)))
    }

    @Test func `a change that a former leader left in the log holds up further ones until it is committed`() {
        var talk = Conversation(Self.plain)
        talk.run("change 1 +4\ndeliver 1->2\npersist 2\ndrop\ncut 1 2\ncut 1 3\ncampaign 2\nsettle 2 3")
        #expect(talk.leaders == [1, 2])
        #expect(talk[2].configuration.voters == ids(1, 2, 3, 4))
        #expect(talk.run("change 2 +5").contains("proposed"))
        talk.run("heal\ntick 2\nstabilize")
        #expect(talk[1].configuration.voters == ids(1, 2, 3, 4, 5) && talk[5].applied == talk[2].applied)
    }

    @Test func `a change that was never committed is forgotten with its entry`() {
        var talk = Conversation(Self.plain)
        talk.run("cut 1 2\ncut 1 3\nchange 1 +4\nsettle 1\ndrop\ncampaign 2\nsettle 2 3\nheal\ntick 2\nstabilize")
        #expect(talk[1].configuration.voters == ids(1, 2, 3))
        #expect(talk.run("change 2 ~5\nstabilize\nstate").contains("learners=(5)"))
    }

    @Test func `of two changes in a log the first is committed, even if a crash lost the commit index`() {
        var log = RaftLog(after: .at(1, term: 1))
        for (offset, member) in [4, 5].enumerated() {
            let change = ConfigurationChange([.addVoter(MemberID(rawValue: UInt64(member)))])
            log.append(Entry(id: .at(2 + UInt64(offset), term: 1), kind: .configuration, data: change.encoded()))
        }
        let node = RaftNode(
            id: MemberID(rawValue: 1), seed: 1, hardState: HardState(term: Term(rawValue: 1)),
            base: .bootstrap(voters: ids(1, 2, 3)), log: log)
        node.checkInvariants()
        #expect(node.committed.rawValue == 2 && node.configuration.voters == ids(1, 2, 3, 4))
    }

    @Test func `thesis 4_2_1 a learner gets everything and decides nothing`() {
        var talk = Conversation(Self.settled)
        talk.run("change 1 ~4\nstabilize\npropose 1 x\nstabilize")
        #expect(talk[4].applied == talk[1].applied)
        talk.run("crash 2\ncrash 3\npropose 1 y\nstabilize")
        #expect(talk[1].committed < talk[1].lastEntry.index && talk[4].lastEntry == talk[1].lastEntry)
        talk.run("tick 4 100\ncampaign 4\nstabilize")
        #expect(talk[4].roleKind == .follower)
    }

    @Test(
        arguments: [
            (.at(5, term: 2), .at(4, term: 2)), (.at(3, term: 2), .at(3, term: 2)), (.at(9, term: 2), .at(4, term: 2)),
            (.at(9, term: 1), .at(2, term: 1)), (.at(2, term: 1), .at(2, term: 1)),
        ] as [(EntryID, EntryID)])
    func `who says no says what is committed of what the candidate may have`(last: EntryID, committed: EntryID) {
        for ballot in [Message.Ballot.vote, .preVote] {
            var node = Solo(log: [1, 1, 2, 2, 3], term: 3, committed: 4)
            let answers = node.receive(.requestVote(last: last, ballot: ballot), term: 4)
            #expect(answers.map(\.body) == [.vote(.init(ballot: ballot, granted: false, committed: committed))])
            // Also to one of an earlier term.
            let late = node.receive(.requestVote(last: last, ballot: ballot), term: 2)
            #expect(late.map(\.body) == [.vote(.init(ballot: ballot, granted: false, committed: committed))])
        }
    }

    @Test(arguments: [1, 3, 9] as [UInt64])
    func `a candidate learns what is committed, in any term, if it has that entry`(term: UInt64) {
        func committed(after entry: EntryID) -> LogIndex {
            var node = Solo(log: [1, 1, 2], term: 2)
            _ = node.step(.campaign)
            _ = node.settle()
            _ = node.receive(.vote(.init(ballot: .vote, granted: false, committed: entry)), term: term)
            return node.node.committed
        }
        #expect(committed(after: .at(2, term: 1)).rawValue == 2)
        #expect(committed(after: .at(3, term: 1)).rawValue == 1)
        #expect(committed(after: .at(4, term: 2)).rawValue == 1)
        #expect(committed(after: .zero).rawValue == 1)
    }

    @Test func `who is left wins although the leader that removed itself crashed with a longer log`() {
        var talk = Conversation("nodes 1 2\ncampaign 1\nstabilize")
        talk.run("change 1 -1\ndeliver 1->2\npropose 1 a b\ndrop\npersist 1\npersist 2\ndeliver 2->1\npersist 1\ndrop")
        #expect(talk[1].configuration.voters == ids(2) && talk[2].configuration.voters == ids(1, 2))
        #expect(talk[1].lastEntry.index > talk[2].lastEntry.index)
        talk.run("crash 1\nrestart 1\ntick 2 100\ncampaign 2\nstabilize")
        #expect(talk[2].configuration.voters == ids(2))
        talk.run("tick 2 100\ncampaign 2\nstabilize\npropose 2 c\nstabilize")
        #expect(talk.leaders == [2] && talk[2].configuration.voters == ids(2))
        #expect(talk[2].committed == talk[2].lastEntry.index)
    }

    @Test func `a learner that was promoted without knowing votes`() {
        let configuration = Configuration(voters: ids(1, 2), learners: ids(3))
        var node = Solo(3, configuration: configuration)
        #expect(node.receive(.requestVote(last: .at(4, term: 2)), term: 3).words == ["vote yes"])
    }

    @Test func `a member that begins with nothing has nobody, and gets all from a snapshot`() {
        var talk = Conversation(Self.plain)
        talk.run("tick 4 100\ncampaign 4")
        #expect(talk[4].roleKind == .follower && talk[4].term == .zero)
        talk.run("change 1 +4\nstabilize")
        #expect(talk.cluster[MemberID(rawValue: 4)].restores == 1 && talk[4].configuration == talk[1].configuration)
    }

    // MARK: Thesis 6.2, 9.6 and 10.2.1

    @Test func `thesis 6_2 a leader without a majority steps down within two election timeouts`() {
        var talk = Conversation(Self.settled)
        talk.run("cut 1 2\ncut 1 3\ntick 1 20")
        #expect(talk[1].roleKind == .follower && talk[1].leader == nil)
    }

    @Test func `thesis 6_2 a leader with a majority leads on`() {
        var talk = Conversation(Self.settled)
        talk.run("cut 1 3")
        for _ in 0..<50 { talk.run("tick 1\nsettle 1 2") }
        #expect(talk.leaders == [1])
    }

    @Test func `thesis 4_2_3 a vote asked for within the lease is ignored, unless leadership was handed over`() {
        for isTransfer in [false, true] {
            var node = Solo(options: .both)
            node.receive(.heartbeat(), term: 2)
            let request = Message.VoteRequest(ballot: .vote, last: .at(1, term: 1), isTransfer: isTransfer)
            let answers = node.receive(.requestVote(request), from: 3, term: 3)
            #expect(answers.words == (isTransfer ? ["vote yes"] : []))
            #expect(node.node.term.rawValue == (isTransfer ? 3 : 2))
        }
    }

    @Test func `thesis 9_6 a member that cannot win does not raise its term`() {
        var talk = Conversation(Self.settled)
        talk.run("cut 1 3\ncut 2 3\ntick 3 100")
        #expect(talk[3].term.rawValue == 2 && talk[3].roleKind == .preCandidate)
        talk.run("drop\nheal\ntick 1\nstabilize")
        #expect(talk.leaders == [1] && talk[1].term.rawValue == 2 && talk[3].leader == MemberID(rawValue: 1))
    }

    @Test(
        arguments: [
            (3, 2, 2, true, "yes"), (1, 2, 2, false, "yes"), (1, 3, 2, true, "yes"), (3, 1, 2, false, "no"),
            // It asks for another term, or has no vote: no rival.
            (3, 2, 3, false, "yes"), (9, 2, 2, false, "yes"),
        ] as [(UInt64, UInt64, UInt64, Bool, String)])
    func `9_6 of two who ask at the same time the one with the shorter log or the lower id stands back`(
        rival: UInt64, last: UInt64, term: UInt64, standsBack: Bool, answer: String
    ) {
        var node = Solo(2, log: [1, 1], options: .both)
        node.step(.campaign)
        node.settle()
        #expect(node.node.roleKind == .preCandidate)
        let question = Message.Body.requestVote(last: .at(last, term: 1), ballot: .preVote)
        #expect(node.receive(question, from: rival, term: term).words == ["prevote \(answer)"])
        #expect(node.node.roleKind == (standsBack ? .follower : .preCandidate))
        #expect(node.node.term.rawValue == 1 && node.node.status.hardState.vote == nil)
        // Who stood back does not count what the other answers.
        node.receive(.vote(.init(ballot: .preVote, granted: true)), from: 3, term: 2)
        #expect(node.node.roleKind == (standsBack ? .follower : .candidate))
        guard standsBack else { return }
        // And asks again when nobody was elected.
        var questions: [Message] = []
        for _ in 0..<20 where questions.isEmpty { questions = node.tick() }
        #expect(questions.words.allSatisfy { $0.hasPrefix("request-prevote") } && questions.count == 2)
    }

    @Test func `thesis 9_6 a yes to a pre-vote binds nobody`() {
        var node = Solo(options: .both)
        for candidate in [2, 3] as [UInt64] {
            let answers = node.receive(.requestVote(last: .at(1, term: 1), ballot: .preVote), from: candidate, term: 2)
            #expect(answers.words == ["prevote yes"] && answers[0].term.rawValue == 2)
        }
        #expect(node.node.term.rawValue == 1 && node.node.status.hardState.vote == nil)
        #expect(node.receive(.requestVote(last: .at(1, term: 1)), from: 3, term: 2).words == ["vote yes"])
    }

    @Test func `thesis 10_2_1 a leader sends entries before its own disk has them`() {
        var node = Solo()
        node.lead()
        node.receive(.accepted(2))
        node.receive(.accepted(2), from: 3)
        let words = node.step(.propose([Array("x".utf8)])).map(\.summary)
        let sent = words.firstIndex { $0.hasPrefix("send") } ?? .max
        let written = words.firstIndex { $0.hasPrefix("persist") } ?? .min
        #expect(sent < written)
        // And may commit them without its own disk; they are applied when that has them.
        node.step(
            .receive(Message(from: MemberID(rawValue: 2), to: node.node.id, term: node.node.term, body: .accepted(3))))
        node.step(
            .receive(Message(from: MemberID(rawValue: 3), to: node.node.id, term: node.node.term, body: .accepted(3))))
        #expect(node.node.committed.rawValue == 3 && node.node.durable.rawValue == 2)
        #expect(node.applied.last?.index.rawValue == 2)
        node.settle()
        #expect(node.applied.last?.index.rawValue == 3)
    }

    // MARK: §7 Snapshots

    @Test(
        arguments: [(2, 2, false), (3, 2, false), (3, 9, true), (9, 2, true), (1, 1, false)] as [(UInt64, UInt64, Bool)]
    )
    func `7 a snapshot is taken only if it says more than the log`(index: UInt64, term: UInt64, isUseful: Bool) {
        var node = Solo(log: [1, 2, 2, 2], term: 9)
        let configuration = Configuration(voters: ids(1, 2, 3, 4))
        let snapshot = SnapshotMetadata(last: .at(index, term: term), configuration: configuration)
        let answers = node.receive(.snapshot(snapshot), term: 9)
        #expect(node.seen.contains(.acceptSnapshot(from: MemberID(rawValue: 2), snapshot)) == isUseful)
        #expect(answers.isEmpty == isUseful)
        guard isUseful else {
            // A prefix of the log: what follows it stays (Raft §7).
            #expect(node.terms == [1, 2, 2, 2] && node.node.committed.rawValue == max(index, 1))
            return
        }
        node.step(.snapshotReceived(snapshot))
        #expect(node.settle().words == ["accepted through \(index)"])
        #expect(node.node.lastEntry == snapshot.last && node.node.configuration == configuration)
        #expect(node.node.applied.rawValue == index)
    }

    @Test func `7 a snapshot that comes once more before it is installed is let go of after that`() {
        var node = Solo(log: [1, 2, 2], term: 9)
        let configuration = Configuration(voters: ids(1, 2, 3))
        let first = SnapshotMetadata(last: .at(8, term: 4), configuration: configuration)
        let second = SnapshotMetadata(last: .at(11, term: 4), configuration: configuration)
        node.receive(.snapshot(first), term: 9)
        let effects = node.step(.snapshotReceived(first))
        #expect(effects.contains { if case .restore(let snapshot, _) = $0 { snapshot == first } else { false } })
        // Nothing tells the two copies apart, and the disk has yet to come to it.
        let repeated = node.step(.snapshotReceived(first)) + node.step(.snapshotReceived(second))
        #expect(!repeated.contains(.discardSnapshot(first)))
        node.settle()
        #expect(node.seen.contains(.discardSnapshot(first)))
        #expect(node.node.lastEntry == second.last)
    }

    @Test func `7 a snapshot is answered when it is durable, and the log goes on after it`() {
        var node = Solo(log: [1, 2, 2], term: 9)
        let snapshot = SnapshotMetadata(last: .at(8, term: 4), configuration: Configuration(voters: ids(1, 2, 3)))
        node.receive(.snapshot(snapshot), term: 9)
        let effects = node.step(.snapshotReceived(snapshot))
        #expect(!effects.contains { if case .send = $0 { true } else { false } })
        node.settle()
        #expect(node.receive(.append(after: 8, term: 4, [9], committed: 9), term: 9).words == ["accepted through 9"])
        #expect(node.applied.map(\.index.rawValue) == [9])
    }
}
