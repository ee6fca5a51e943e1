import StrakeModel
import StrakeRaft
import StrakeReplication
import Testing

struct TrioTests {
    @Test func `a follower's proposal is answered by its own state machine, once`() {
        var trio = Trio()
        trio.lead(0)
        trio.propose(7, at: 1)
        trio.propose(8, at: 0)
        trio.settle()
        #expect(trio.answered(at: 1) == [7])
        #expect(trio.answered(at: 0) == [8])
        #expect(trio.answered(at: 2).isEmpty)
        #expect(trio.applied.map(\.count) == [3, 3, 3])
    }

    @Test func `a forwarded proposal that was lost on the way is given up in its time`() {
        var trio = Trio(requestTicks: 5)
        trio.lead(0)
        trio.isLost = { if case .propose = $0.body { true } else { false } }
        trio.propose(7, at: 1)
        trio.tick(4)
        #expect(trio.outputs[1].failures.isEmpty)
        trio.tick()
        #expect(trio.outputs[1].failures == [Failure(origin: Trio.origin(7), reason: .timedOut)])
        #expect(trio.answered(at: 1).isEmpty)
    }

    @Test(arguments: [(0, .timedOutDisconnected), (2, .timedOut)] as [(UInt64, ReplicaFailure)])
    func `a timeout names the connection when the leader was out of reach meanwhile`(
        unreachable: UInt64, reason: ReplicaFailure
    ) {
        var trio = Trio(requestTicks: 5)
        trio.lead(0)
        trio.isLost = { if case .propose = $0.body { true } else { false } }
        trio.tick()
        trio.propose(7, at: 1)
        trio.replicas[1].unreachable(MemberID(rawValue: unreachable + 1), into: &trio.outputs[1])
        trio.tick(5)
        #expect(trio.outputs[1].failures == [Failure(origin: Trio.origin(7), reason: reason)])
    }

    @Test func `a leader that has too much to do says so at once to the member that asked`() {
        var options = RaftOptions()
        options.uncommittedBytesMax = 1
        var trio = Trio(options: options)
        trio.lead(0)
        // Nothing that is proposed commits for now.
        trio.isLost = { if case .append = $0.body { true } else { false } }
        trio.propose(7, at: 0)
        trio.propose(8, at: 1)
        trio.propose(9, at: 2)
        trio.settle()
        #expect(trio.outputs[1].failures == [Failure(origin: Trio.origin(8), reason: .overloaded)])
        #expect(trio.outputs[2].failures == [Failure(origin: Trio.origin(9), reason: .overloaded)])
        for index in trio.outputs.indices { trio.outputs[index].failures = [] }
        // It was true: neither happens later, even if the message comes once more when there is room again.
        trio.isLost = { _ in false }
        trio.tick(3)
        #expect(trio.answered(at: 0) == [7])
        let messages = trio.sent.filter { if case .propose = $0.body { true } else { false } }
        #expect(messages.count == 2)
        for message in messages { trio.replicas[0].step(.receive(message), into: &trio.outputs[0]) }
        trio.tick(20)
        #expect(trio.answered(at: 1).isEmpty && trio.answered(at: 2).isEmpty)
        #expect(trio.applied.map(\.count) == [2, 2, 2])
        // And what is proposed now is taken.
        trio.propose(10, at: 1)
        trio.settle()
        #expect(trio.answered(at: 1) == [10])
        #expect(trio.outputs.flatMap(\.failures).isEmpty)
    }

    @Test func `a proposal that meets a leader which is handing over is made once it stays or another one leads`() {
        var trio = Trio()
        trio.lead(0)
        trio.isLost = { if case .timeoutNow = $0.body { true } else { false } }
        trio.replicas[0].step(.transferLeadership(to: MemberID(rawValue: 3)), into: &trio.outputs[0])
        trio.settle()
        trio.propose(7, at: 1)
        trio.settle()
        #expect(trio.count { if case .proposeRefused(_, .leaving) = $0 { true } else { false } } == 1)
        #expect(trio.applied.map(\.count) == [1, 1, 1])
        // The transfer fails after an election timeout.
        trio.tick(12)
        #expect(trio.replicas[0].isLeader)
        #expect(trio.answered(at: 1) == [7])
        #expect(trio.applied.map(\.count) == [2, 2, 2])
        #expect(trio.outputs.flatMap(\.failures).isEmpty)
    }

    @Test func `a timeout names the leader's failure when another leader was elected meanwhile`() {
        var trio = Trio(requestTicks: 40)
        trio.lead(0)
        trio.tick(9)
        // The third member is elected; the second one knows it, and hears nothing else of it.
        trio.isLost = { message in
            switch message.body {
            case .propose: true
            case .append: message.to.rawValue == 2
            case .requestVote: message.from.rawValue == 2
            default: false
            }
        }
        trio.propose(7, at: 1)
        trio.settle()
        trio.cutOff = [0]
        trio.tick(39)
        #expect(trio.replicas[1].node.leader == MemberID(rawValue: 3))
        #expect(trio.outputs[1].failures.isEmpty)
        trio.tick()
        #expect(trio.outputs[1].failures == [Failure(origin: Trio.origin(7), reason: .timedOutLeaderFailed)])
    }

    @Test func `a forwarded proposal that its leader took to the grave is proposed to the next one, once`() {
        var trio = Trio()
        trio.lead(0)
        // The leader has it in its log, and nobody else does.
        trio.isLost = { if case .append = $0.body { $0.from.rawValue == 1 } else { false } }
        trio.propose(7, at: 1)
        trio.settle()
        #expect(trio.replicas[0].node.lastEntry.index > trio.replicas[1].node.lastEntry.index)
        trio.isLost = { _ in false }
        trio.cutOff = [0]
        trio.tick(40)
        #expect(trio.replicas[1].isLeader || trio.replicas[2].isLeader)
        #expect(trio.answered(at: 1) == [7])
        trio.cutOff = []
        trio.tick(5)
        for applied in trio.applied {
            #expect(applied.count { $0.entry.data == Trio.command(7) } == 1)
        }
        #expect(trio.outputs.allSatisfy { $0.failures.isEmpty })
    }

    @Test func `a forwarded proposal that was committed in the end is not proposed again`() {
        var trio = Trio()
        trio.lead(0)
        // Everybody has it, and the one who asked does not hear that it is committed before the leader is gone.
        trio.propose(7, at: 1)
        trio.isLost = { if case .appendResponse = $0.body { true } else { false } }
        trio.settle()
        trio.isLost = { _ in false }
        trio.cutOff = [0]
        trio.tick(40)
        trio.cutOff = []
        trio.tick(5)
        #expect(trio.answered(at: 1) == [7])
        for applied in trio.applied {
            #expect(applied.count { $0.entry.data == Trio.command(7) } == 1)
        }
    }

    @Test func `an entry of another leader in its place ends a proposal of the deposed one`() {
        var trio = Trio()
        trio.lead(0)
        trio.cutOff = [0]
        trio.propose(7, at: 0)
        trio.settle()
        trio.tick(25)
        #expect(trio.replicas[1].isLeader || trio.replicas[2].isLeader)
        trio.propose(8, at: 1)
        trio.settle()
        trio.cutOff = []
        trio.tick(3)
        #expect(trio.outputs[0].failures == [Failure(origin: Trio.origin(7), reason: .leaderChanged)])
        #expect(trio.answered(at: 1) == [8])
    }

    @Test func `a follower's reads gather behind one question, and are served where they came`() {
        var trio = Trio()
        trio.lead(0)
        trio.sent = []
        for token in 1...50 { trio.replicas[1].read(Trio.origin(UInt64(token)), into: &trio.outputs[1]) }
        trio.settle()
        trio.tick()
        #expect(Set(trio.outputs[1].readsReady.map(\.token)) == Set(1...50))
        // The first goes by itself, the rest together.
        #expect(trio.count { if case .readIndex = $0 { true } else { false } } == 2)
    }

    @Test func `a read whose question was lost is asked again under a new context`() {
        var trio = Trio()
        trio.lead(0)
        trio.isLost = { if case .readIndex = $0.body { true } else { false } }
        trio.replicas[1].read(Trio.origin(1), into: &trio.outputs[1])
        trio.settle()
        trio.isLost = { _ in false }
        trio.tick(12)
        #expect(trio.outputs[1].readsReady == [Trio.origin(1)])
        var contexts: [UInt64] = []
        for message in trio.sent { if case .readIndex(let context) = message.body { contexts.append(context) } }
        #expect(contexts.count == 2 && Set(contexts).count == 2)
    }

    @Test func `the answer to a read of an earlier run does not serve one of this run`() throws {
        var trio = Trio()
        trio.lead(0)
        trio.isLost = { if case .readIndexResponse = $0.body { true } else { false } }
        trio.replicas[1].read(Trio.origin(1), into: &trio.outputs[1])
        trio.settle()
        let late = try #require(trio.sent.last { if case .readIndexResponse = $0.body { true } else { false } })
        trio.restart(1)
        trio.isLost = { if case .readIndex = $0.body { true } else { false } }
        trio.tick()
        trio.replicas[1].read(Trio.origin(2), into: &trio.outputs[1])
        trio.settle()
        #expect(trio.replicas[1].node.leader == late.from)
        trio.replicas[1].step(.receive(late), into: &trio.outputs[1])
        trio.settle()
        #expect(trio.outputs[1].readsReady.isEmpty)
        trio.isLost = { _ in false }
        trio.tick(12)
        #expect(trio.outputs[1].readsReady == [Trio.origin(2)])
    }

    @Test func `a read outlives its leader, and is not served by the deposed one`() {
        var trio = Trio()
        trio.lead(0)
        trio.cutOff = [0]
        trio.replicas[0].read(Trio.origin(1), into: &trio.outputs[0])
        trio.replicas[1].read(Trio.origin(2), into: &trio.outputs[1])
        trio.settle()
        trio.tick(25)
        #expect(trio.outputs[0].readsReady.isEmpty)
        #expect(trio.outputs[1].readsReady == [Trio.origin(2)])
        trio.cutOff = []
        trio.tick(5)
        #expect(trio.outputs[0].readsReady == [Trio.origin(1)])
    }

    @Test func `what a leader decided by its own clock is proposed in its term only`() {
        var trio = Trio()
        trio.lead(0)
        let term = trio.replicas[0].node.term
        trio.handOver(from: 0, to: 1)
        let later = trio.replicas[1].node.term
        #expect(later > term)
        trio.replicas[0].propose([(Trio.command(7), Trio.origin(7))], leadingIn: term, into: &trio.outputs[0])
        #expect(trio.outputs[0].failures == [Failure(origin: Trio.origin(7), reason: .leaderChanged)])
        trio.replicas[1].propose([(Trio.command(8), Trio.origin(8))], leadingIn: term, into: &trio.outputs[1])
        #expect(trio.outputs[1].failures == [Failure(origin: Trio.origin(8), reason: .leaderChanged)])
        trio.replicas[1].propose([(Trio.command(9), Trio.origin(9))], leadingIn: later, into: &trio.outputs[1])
        trio.settle()
        #expect(trio.answered(at: 1) == [9])
    }

    @Test func `what a leader decided by its own clock is not kept for the leader that it hands over to`() {
        var trio = Trio()
        trio.lead(0)
        let term = trio.replicas[0].node.term
        trio.isLost = { if case .timeoutNow = $0.body { true } else { false } }
        trio.replicas[0].step(.transferLeadership(to: MemberID(rawValue: 3)), into: &trio.outputs[0])
        trio.settle()
        trio.replicas[0].propose([(Trio.command(7), Trio.origin(7))], leadingIn: term, into: &trio.outputs[0])
        trio.propose(8, at: 0)
        #expect(trio.outputs[0].failures == [Failure(origin: Trio.origin(7), reason: .leaderChanged)])
        trio.isLost = { _ in false }
        trio.tick(12)
        trio.handOver(from: 0, to: 1)
        trio.tick(12)
        for applied in trio.applied {
            #expect(!applied.contains { $0.entry.data == Trio.command(7) })
            #expect(applied.contains { $0.entry.data == Trio.command(8) })
        }
    }

    @Test func `a leader that leads again answers what it proposes then, whatever it had proposed before`() {
        var trio = Trio()
        trio.lead(0)
        // Entries that nobody else gets; a leader of the others takes fewer places.
        trio.cutOff = [0]
        for name in 11...18 as ClosedRange<UInt64> { trio.propose(name, at: 0) }
        trio.settle()
        trio.tick(25)
        #expect(trio.replicas[1].isLeader || trio.replicas[2].isLeader)
        trio.cutOff = []
        trio.tick(5)
        trio.handOver(from: trio.replicas[1].isLeader ? 1 : 2, to: 0)
        #expect(trio.replicas[0].isLeader)
        for name in 21...28 as ClosedRange<UInt64> { trio.propose(name, at: 0) }
        trio.settle()
        trio.tick(5)
        #expect(trio.answered(at: 0) == Array(21...28))
        #expect(!trio.outputs[0].failures.contains { (21...28).contains($0.origin.token) })
    }

    @Test func `a leader that leads again does not say of what its log has lost that it never happens`() {
        var options = RaftOptions()
        // So that whoever is to lead next can be chosen.
        options.preVote = false
        options.checkQuorum = false
        var five = Trio(5, options: options)
        five.lead(0)
        let first = five.replicas[0].node.lastEntry.index
        // Three entries that the first and the second member have.
        five.isLost = { if case .append = $0.body { $0.to.rawValue > 2 } else { false } }
        for name in 11...13 as ClosedRange<UInt64> { five.propose(name, at: 0) }
        five.settle()
        #expect(five.replicas[1].node.lastEntry.index == first + 3)
        // The third is elected by the fourth and the fifth. Its entry reaches the first member only, and takes the place of
        // all three there.
        five.cutOff = [1]
        five.isLost = { if case .append = $0.body { $0.to.rawValue != 1 } else { false } }
        five.lead(2)
        five.tick()
        #expect(five.replicas[0].node.lastEntry.index == first + 1)
        // The first one leads again, for itself.
        five.isLost = { if case .append = $0.body { true } else { false } }
        five.lead(0)
        #expect(five.replicas[0].isLeader)
        five.propose(21, at: 0)
        five.settle()
        #expect(five.outputs[0].failures == [Failure(origin: Trio.origin(13), reason: .timedOutLeaderFailed)])
        // The second has all three still. Once it has learnt the term the fourth and the fifth elect it.
        five.cutOff = [0, 2]
        five.isLost = { _ in false }
        five.lead(1)
        five.lead(1)
        five.tick(2)
        #expect(five.replicas[1].isLeader)
        #expect(five.applied[1].contains { $0.entry.data == Trio.command(13) })
    }

    @Test func `what waits for a leader is passed on to it in few messages`() {
        var trio = Trio()
        let names = 1...UInt64(Replica.parkedMax)
        trio.replicas[1].propose(names.map { (Trio.command($0), Trio.origin($0)) }, into: &trio.outputs[1])
        trio.lead(0)
        trio.tick(2)
        #expect(trio.answered(at: 1) == Array(names))
        #expect(trio.count { if case .propose = $0 { true } else { false } } < 10)
    }

    @Test func `what is passed on together is cut into messages of a bounded length`() {
        var options = RaftOptions()
        options.messageBytesMax = 3 * Trio.command(1).count
        var trio = Trio(options: options)
        trio.lead(0)
        let names = 1...20 as ClosedRange<UInt64>
        trio.replicas[1].propose(names.map { (Trio.command($0), Trio.origin($0)) }, into: &trio.outputs[1])
        trio.settle()
        #expect(trio.answered(at: 1) == Array(names))
        var counts: [Int] = []
        for message in trio.sent {
            if case .propose(let proposals, _) = message.body { counts.append(proposals.count) }
        }
        #expect(counts == [3, 3, 3, 3, 3, 3, 2])
    }

    @Test func `what a member keeps for a leader, or has with one, is bounded in bytes`() {
        var options = RaftOptions()
        // The test has no log to read from.
        options.cacheBytesMax = .max
        var trio = Trio(options: options)
        let size = Replica.keptBytesMax / 4
        let propose = { (trio: inout Trio, name: UInt64) in
            let put = Command.put(PutRequest(key: [1], value: [UInt8](repeating: 0, count: size - 100)))
            let data = put.encoded(ProposalID(rawValue: name))
            trio.replicas[1].propose([(data, Trio.origin(name))], into: &trio.outputs[1])
        }
        for name in 1...5 as ClosedRange<UInt64> { propose(&trio, name) }
        #expect(trio.outputs[1].failures == [Failure(origin: Trio.origin(5), reason: .overloaded)])
        trio.lead(0)
        trio.tick(2)
        #expect(trio.answered(at: 1) == [1, 2, 3, 4])
        // Lost on the way to the leader, as far as this member knows they may be with it.
        trio.isLost = { if case .propose = $0.body { true } else { false } }
        for name in 11...15 as ClosedRange<UInt64> { propose(&trio, name) }
        #expect(trio.outputs[1].failures == [Failure(origin: Trio.origin(15), reason: .overloaded)])
        trio.settle()
        // Their time is over, and with it what is kept of them.
        trio.tick(100)
        trio.outputs[1].failures = []
        trio.isLost = { _ in false }
        propose(&trio, 21)
        trio.settle()
        #expect(trio.answered(at: 1) == [1, 2, 3, 4, 21])
        #expect(trio.outputs[1].failures.isEmpty)
    }

    @Test func `one change of the configuration is under way at a time`() {
        var trio = Trio()
        trio.lead(0)
        let add = ConfigurationChange([.addLearner(MemberID(rawValue: 4))])
        trio.replicas[0].propose(add, origin: Trio.origin(1), into: &trio.outputs[0])
        let remove = ConfigurationChange([.remove(MemberID(rawValue: 3))])
        trio.replicas[0].propose(remove, origin: Trio.origin(2), into: &trio.outputs[0])
        trio.replicas[1].propose(remove, origin: Trio.origin(3), into: &trio.outputs[1])
        trio.isLost = { $0.to.rawValue == 4 }
        #expect(trio.outputs[0].failures == [Failure(origin: Trio.origin(2), reason: .configurationBusy)])
        #expect(trio.outputs[1].failures == [Failure(origin: Trio.origin(3), reason: .notLeader)])
    }
}
