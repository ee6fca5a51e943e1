import StrakeRaft
import StrakeReplication
import Testing

/// A cluster of one whose disk and state machine the test plays.
private struct Lonely {
    var replica: Replica
    var output = ReplicaOutput()
    let member = MemberID(rawValue: 1)

    init(requestTicks: UInt64 = 5) {
        let base = SnapshotMetadata.bootstrap(voters: [member])
        let node = RaftNode(id: member, seed: 1, hardState: HardState(), base: base, log: RaftLog(after: base.last))
        replica = Replica(node: node, requestTicks: requestTicks)
    }

    /// Acknowledges every write that is queued, as a disk does.
    mutating func persistAll() {
        while !output.writes.isEmpty {
            let writes = output.writes
            output.writes = []
            for case .write(let write) in writes { replica.step(.persisted(write: write.number), into: &output) }
        }
    }

    /// Applies what is to be applied, and what becomes so.
    mutating func applyAll() {
        while !output.applies.isEmpty {
            let applies = output.applies
            output.applies = []
            for batch in applies { replica.applied(through: batch.entries.last!.index, into: &output) }
        }
    }

    mutating func becomeLeader() {
        replica.step(.campaign, into: &output)
        persistAll()
        applyAll()
        persistAll()
        output.removeAll()
    }

    func origin(_ token: UInt64) -> RequestOrigin { RequestOrigin(target: 0, token: token) }
}

struct ReplicaTests {
    @Test func `nothing is applied before its entry is on disk`() {
        var lonely = Lonely()
        lonely.becomeLeader()
        lonely.replica.propose([([1], lonely.origin(1))], into: &lonely.output)
        #expect(lonely.output.applies.isEmpty)
        #expect(!lonely.output.writes.isEmpty)
        lonely.persistAll()
        #expect(lonely.output.applies.count == 1)
        #expect(lonely.output.applies[0].entries.map(\.data) == [[1]])
        #expect(lonely.output.applies[0].origins == [lonely.origin(1)])
    }

    @Test func `a proposal without a leader goes as soon as there is one`() {
        var lonely = Lonely()
        lonely.replica.propose([([1], lonely.origin(1)), ([2], nil)], into: &lonely.output)
        #expect(lonely.output.failures.isEmpty)
        lonely.replica.step(.campaign, into: &lonely.output)
        lonely.persistAll()
        var entries: [Entry] = []
        while let batch = lonely.output.applies.popLast() {
            entries += batch.entries
            lonely.replica.applied(through: batch.entries.last!.index, into: &lonely.output)
            lonely.persistAll()
        }
        #expect(entries.map(\.data) == [[], [1], [2]])
    }

    @Test func `a proposal that no leader takes in time is given up, and never made`() {
        var lonely = Lonely(requestTicks: 3)
        lonely.replica.propose([([1], lonely.origin(1))], into: &lonely.output)
        for _ in 0..<3 { lonely.replica.tick(into: &lonely.output) }
        #expect(lonely.output.failures == [Failure(origin: lonely.origin(1), reason: .neverProposed)])
        lonely.replica.step(.campaign, into: &lonely.output)
        lonely.persistAll()
        #expect(lonely.output.applies.flatMap(\.entries).map(\.data) == [[]])
    }

    @Test func `a read waits until everything committed before it is applied`() {
        var lonely = Lonely()
        lonely.becomeLeader()
        lonely.replica.read(lonely.origin(1), into: &lonely.output)
        #expect(lonely.output.readsReady == [lonely.origin(1)])
        lonely.output.removeAll()
        lonely.replica.propose([([1], nil)], into: &lonely.output)
        lonely.persistAll()
        lonely.replica.read(lonely.origin(2), into: &lonely.output)
        #expect(lonely.output.readsReady.isEmpty)
        lonely.applyAll()
        #expect(lonely.output.readsReady == [lonely.origin(2)])
    }

    @Test func `a read that nothing is applied for in time is answered with a timeout`() {
        var lonely = Lonely(requestTicks: 3)
        lonely.becomeLeader()
        lonely.replica.propose([([1], nil)], into: &lonely.output)
        lonely.persistAll()
        lonely.replica.read(lonely.origin(2), into: &lonely.output)
        for _ in 0..<2 { lonely.replica.tick(into: &lonely.output) }
        #expect(lonely.output.failures.isEmpty)
        lonely.replica.tick(into: &lonely.output)
        #expect(lonely.output.failures == [Failure(origin: lonely.origin(2), reason: .timedOut)])
        lonely.applyAll()
        #expect(lonely.output.readsReady.isEmpty)
    }

    @Test func `a proposal that the disk does not take in time is answered with a timeout, and not again`() {
        var lonely = Lonely(requestTicks: 3)
        lonely.becomeLeader()
        lonely.replica.propose([([1], lonely.origin(1))], into: &lonely.output)
        for _ in 0..<2 { lonely.replica.tick(into: &lonely.output) }
        #expect(lonely.output.failures.isEmpty)
        lonely.replica.tick(into: &lonely.output)
        #expect(lonely.output.failures == [Failure(origin: lonely.origin(1), reason: .timedOut)])
        lonely.persistAll()
        #expect(lonely.output.applies.flatMap(\.origins) == [nil])
    }

    @Test func `who waits when the member stops is told, once`() {
        var lonely = Lonely()
        lonely.becomeLeader()
        lonely.replica.propose([([1], lonely.origin(1)), ([2], nil), ([3], lonely.origin(2))], into: &lonely.output)
        lonely.persistAll()
        lonely.replica.propose([([4], lonely.origin(3))], into: &lonely.output)
        // Its index is known at once, but is not applied yet.
        lonely.replica.read(lonely.origin(4), into: &lonely.output)
        lonely.output.removeAll()
        lonely.replica.giveUp(into: &lonely.output)
        // The first batch is with the state machine, which answers for it.
        let expected = [3, 4].map { Failure(origin: lonely.origin($0), reason: .stopped) }
        #expect(lonely.output.failures == expected)
        lonely.output.removeAll()
        lonely.replica.giveUp(into: &lonely.output)
        #expect(lonely.output.failures.isEmpty)
    }
}
