internal import StrakeRaft
internal import Testing

/// What is ours and in no paper: bounds, restarts, determinism.
struct RaftNodeTests {
    @Test func `the same inputs give the same effects`() {
        for seed in 0..<20 as Range<UInt64> {
            var traces: [[String]] = []
            for _ in 0..<2 {
                var run = RandomRun(seed: seed)
                run.cluster.isTracing = true
                run.run(steps: 2_000)
                traces.append(run.cluster.trace)
            }
            #expect(traces[0] == traces[1] && traces[0].count > 100)
        }
    }

    @Test(arguments: [0, 1_000, 100_000])
    func `memory is bounded, and what has left it is read back to be applied`(cacheBytesMax: Int) {
        var options = RaftOptions()
        options.cacheBytesMax = cacheBytesMax
        options.applyBytesMax = 500
        let cluster = Cluster()
        let id = MemberID(rawValue: 1)
        cluster.add(id, options: options, seed: 1, base: .bootstrap(voters: [id]))
        cluster.step(id, .campaign)
        cluster.stabilize()
        for count in 0..<300 {
            cluster.step(id, .propose([[UInt8](repeating: UInt8(count % 251), count: 100)]))
            cluster.persist(id)
            #expect(cluster[1].cachedBytes <= cacheBytesMax)
        }
        // One apply is out all the time, so nearly everything waits.
        #expect(cluster[1].applied.rawValue < 10 && cluster[1].committed.rawValue == 302)
        cluster.stabilize()
        #expect(cluster[1].applied.rawValue == 302)
    }

    @Test func `proposals beyond the bound are refused until something is committed`() {
        var options = RaftOptions.plain
        options.uncommittedBytesMax = 1_000
        var node = Solo(options: options)
        node.lead()
        let payload = [UInt8](repeating: 1, count: 100)
        var accepted = 0
        while !node.step(.propose([payload])).contains(.proposalRefused(.uncommittedLimit)) { accepted += 1 }
        #expect(accepted == 7)
        // A whole batch or nothing of it.
        let last = node.node.lastEntry
        #expect(node.step(.propose([[1], payload])).contains(.proposalRefused(.uncommittedLimit)))
        #expect(node.node.lastEntry == last)
        node.settle()
        node.receive(.accepted(last.index.rawValue))
        #expect(!node.step(.propose([payload])).contains(.proposalRefused(.uncommittedLimit)))
    }

    @Test func `snapshots that come to nothing are offered ever more seldom, and soon again once one helps`() {
        let member = MemberID(rawValue: 3)
        var node = Solo()
        node.lead()
        node.step(.propose([[1]]))
        node.settle()
        node.receive(.accepted(3), from: 2)
        node.step(.compacted(through: LogIndex(rawValue: 3)))
        // The member answers every heartbeat, and has none of what the log still holds.
        func ticksToOffer() -> Int {
            let answer = Message.HeartbeatAnswer(round: 0, committed: .zero)
            for count in 0..<1_000 {
                let message = Message(
                    from: member, to: node.node.id, term: node.node.term, body: .heartbeatResponse(answer))
                if node.step(.receive(message)).contains(.prepareSnapshot(for: member)) { return count }
                node.tick()
            }
            return .max
        }
        func ticksAfter(_ outcome: SnapshotOutcome) -> Int {
            node.step(.snapshotReport(member, outcome))
            return ticksToOffer()
        }
        #expect(ticksToOffer() == 0)
        #expect((0..<9).map { _ in ticksAfter(.failed) } == [1, 2, 4, 8, 16, 32, 64, 100, 100])
        #expect(ticksAfter(.interrupted) == 1)
        #expect((0..<3).map { _ in ticksAfter(.failed) } == [2, 4, 8])
        node.step(.snapshotReport(member, .failed))
        #expect(node.node.snapshotPauseTicks(of: member) == 16)
        #expect(node.node.snapshotPauseTicks(of: MemberID(rawValue: 2)) == 0)
        // It has found what it needs elsewhere, and falls behind anew.
        node.receive(.accepted(3), from: 3)
        #expect(node.node.status.members.first { $0.member == member }?.state == .replicate)
    }

    @Test func `reads beyond the bound fail at once`() {
        var options = RaftOptions.plain
        options.pendingReadsMax = 3
        for isLeader in [true, false] {
            var node = Solo(options: options)
            if isLeader { node.lead() } else { node.receive(.heartbeat(), term: 2) }
            for context in 1...4 as ClosedRange<UInt64> { node.step(.readIndex(context: context)) }
            #expect(node.seen.filter { $0 == .readFailed(context: 4, .overloaded) }.count == 1)
            #expect(!node.seen.contains { if case .readFailed(1...3, _) = $0 { true } else { false } })
        }
    }

    @Test func `an append message keeps to its bound, and a larger entry goes alone`() {
        var options = RaftOptions.plain
        options.messageBytesMax = 300
        var node = Solo(options: options)
        node.lead()
        node.receive(.accepted(2))
        node.step(.unreachable(MemberID(rawValue: 2)))
        for size in [100, 100, 100, 1_000, 10, 10] { node.step(.propose([[UInt8](repeating: 1, count: size)])) }
        node.settle()
        var sizes: [[Int]] = []
        var match: UInt64 = 2
        while match < node.node.lastEntry.index.rawValue {
            // The first answer ends the probing, the next ones follow what was sent.
            let messages = node.receive(.accepted(match)).sent(to: 2)
            for case .append(let append) in messages where !append.entries.isEmpty {
                sizes.append(append.entries.map(\.data.count))
                match = append.entries[append.entries.count - 1].index.rawValue
            }
        }
        #expect(sizes.flatMap { $0 } == [100, 100, 100, 1_000, 10, 10])
        #expect(sizes.allSatisfy { $0.count == 1 || $0.reduce(0) { $0 + $1 + 32 } <= 300 })
        #expect(sizes.contains([1_000]) && sizes.contains([100, 100]))
    }

    /// How many entries each message to the member has, of those with entries.
    private func lengths(_ messages: [Message], to member: UInt64) -> [Int] {
        messages.sent(to: member).compactMap { body in
            if case .append(let append) = body, !append.entries.isEmpty { append.entries.count } else { nil }
        }
    }

    /// A leader of two voters with a learner, number 3, all of whom have what there is.
    private func leaderWithLearner(_ options: RaftOptions = .plain) -> Solo {
        let configuration = Configuration(
            voters: [MemberID(rawValue: 1), MemberID(rawValue: 2)], learners: [MemberID(rawValue: 3)])
        var node = Solo(configuration: configuration, options: options)
        node.lead()
        for member: UInt64 in [2, 3] { node.receive(.accepted(2), from: member) }
        return node
    }

    @Test func `what comes while a learner has a message on its way goes to it in one`() {
        var node = leaderWithLearner()
        var messages: [Message] = []
        for number: UInt8 in 1...4 {
            node.step(.propose([[number]]))
            messages += node.settle()
        }
        #expect(lengths(messages, to: 2) == [1, 1, 1, 1])
        #expect(lengths(messages, to: 3) == [1])
        #expect(lengths(node.receive(.accepted(3), from: 3), to: 3) == [3])
        node.step(.propose([[5]]))
        #expect(lengths(node.settle(), to: 3) == [])
        #expect(lengths(node.receive(.accepted(6), from: 3), to: 3) == [1])
    }

    @Test func `long messages to a learner follow each other`() {
        var options = RaftOptions.plain
        options.messageBytesMax = 1_000
        var node = leaderWithLearner(options)
        var messages: [Message] = []
        for _ in 1...4 {
            node.step(.propose([[UInt8](repeating: 7, count: 600)]))
            messages += node.settle()
        }
        #expect(lengths(messages, to: 3) == [1, 1, 1, 1])
    }

    @Test func `a lost write does not make a member forget what it has answered for`() {
        // Of three writes one is acknowledged; the log after the crash holds at least that.
        let cluster = Cluster()
        let ids = [1, 2].map { MemberID(rawValue: $0) }
        for id in ids {
            cluster.add(id, options: .plain, seed: id.rawValue, base: .bootstrap(voters: ids))
        }
        cluster.step(ids[0], .campaign)
        cluster.stabilize()
        for byte in 1...3 as ClosedRange<UInt8> {
            cluster.step(ids[0], .propose([[byte]]))
            while let place = cluster.network.firstIndex(where: { $0.to == ids[1] }) { cluster.deliver(at: place) }
        }
        #expect(cluster.network.isEmpty)
        cluster.persist(ids[1], count: 1)
        #expect(cluster.network.map(\.body.summary) == ["accepted through 3"])
        cluster.crash(ids[1])
        cluster.restart(ids[1], seed: 9)
        #expect(cluster[2].lastEntry == .at(3, term: 2) && cluster[2].term.rawValue == 2)
    }

    @Test func `a snapshot older than the log's beginning is asked for again`() {
        var node = Solo(log: [1, 2, 2, 2, 2], committed: 5)
        node.lead()
        node.receive(.accepted(6))
        node.step(.compacted(through: LogIndex(rawValue: 5)))
        let rejected = Message.AppendAnswer(result: .rejected(at: LogIndex(rawValue: 5), hint: .zero), committed: .zero)
        node.receive(.appendResponse(rejected), from: 3)
        let three = MemberID(rawValue: 3)
        #expect(node.seen.filter { $0 == .prepareSnapshot(for: three) }.count == 1)
        let configuration = node.node.configuration
        let old = SnapshotMetadata(last: .at(4, term: 2), configuration: configuration)
        #expect(node.step(.snapshotPrepared(for: three, old)) == [.prepareSnapshot(for: three)])
        let new = SnapshotMetadata(last: .at(6, term: 3), configuration: configuration)
        node.step(.snapshotPrepared(for: three, new))
        #expect(node.settle().sent(to: 3) == [.snapshot(new)])
        #expect(node.node.neededAfter == LogIndex(rawValue: 6))
    }

    @Test func `the log is needed as far back as the members in touch need it`() {
        var options = RaftOptions.plain
        options.checkQuorum = true
        var node = Solo(log: [1, 2, 2, 2, 2], committed: 5, options: options)
        #expect(node.node.neededAfter == nil)
        node.lead()
        node.receive(.accepted(6))
        // How far 3 is nobody knows yet; it is not before the log's beginning that the log would help.
        #expect(node.node.neededAfter == LogIndex(rawValue: 6))
        node.receive(.accepted(4), from: 3)
        #expect(node.node.neededAfter == LogIndex(rawValue: 4))
        // 3 is silent from here on: it counts until the quorum has been looked at twice.
        for expected in [4, 6] as [UInt64] {
            for _ in 0..<node.node.options.electionTicks {
                node.step(.tick)
                node.receive(.accepted(6))
            }
            #expect(node.node.neededAfter == LogIndex(rawValue: expected))
        }
        // What the log does not have does not bind it.
        node.step(.compacted(through: LogIndex(rawValue: 5)))
        node.receive(.accepted(4), from: 3)
        #expect(node.node.neededAfter == LogIndex(rawValue: 6))
    }

    @Test func `a member restarts from any point between its checkpoint and its log`() {
        let entries = Entry.log([1, 2, 2, 3])
        for compacted in 1...4 {
            for applied in compacted...4 {
                for committed in 0...6 as ClosedRange<UInt64> {
                    var log = RaftLog(after: entries[compacted - 1].id)
                    for entry in entries[compacted...] { log.append(entry) }
                    var base = SnapshotMetadata.bootstrap(voters: [MemberID(rawValue: 1)])
                    base.last = entries[applied - 1].id
                    let state = HardState(term: Term(rawValue: 3), vote: nil, committed: LogIndex(rawValue: committed))
                    let node = RaftNode(
                        id: MemberID(rawValue: 1), seed: 1, hardState: state, base: base, log: log)
                    node.checkInvariants()
                    #expect(node.committed.rawValue == max(UInt64(applied), min(committed, 4)))
                }
            }
        }
    }
}
