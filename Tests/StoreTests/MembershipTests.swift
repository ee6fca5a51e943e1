import Dispatch
import StrakeLog
import StrakeModel
import StrakeRaft
import StrakeStateMachine
import StrakeStore
import Synchronization
import Testing

/// Members come and go.
@Suite(.serialized) @OwnThread
struct MembershipTests {
    @Test func `a learner joins, is promoted once it is in sync, and votes`() throws {
        let cluster = try TestCluster(3) { $0.strictReconfiguration = false }
        let leader = try cluster.leader()
        let follower = (0..<3).first { $0 != leader }!
        #expect(cluster.client(leader).put("a", "1").error == nil)
        let id: UInt64 = 0xabc
        let urls = ["http://127.0.0.1:1003"]
        #expect(cluster.change(.add(id, peerURLs: urls, isLearner: true), at: follower) == nil)
        #expect(cluster.store(follower).members.contains { $0.id == id && $0.peerURLs == urls })
        #expect(cluster.store(follower).isLearner(id))
        let second = MembershipChange.add(0xabd, peerURLs: ["http://127.0.0.1:1"], isLearner: true)
        #expect(cluster.change(second, at: leader) == .tooManyLearners)
        #expect(cluster.change(.promote(id), at: follower) == .learnerNotReady)
        #expect(cluster.client(leader).moveLeader(to: id) == .badLeaderTransferee)

        try cluster.join(3, as: id)
        try cluster.eventually("the learner to have it all") { try cluster.store(3).value("a") == "1" }
        try cluster.eventually("the learner to know that it is one") { cluster.store(3).isLearner }
        try cluster.eventually("the promotion") { cluster.change(.promote(id), at: follower) == nil }
        // Whether its log is far enough is asked first, as etcd does; on a slow machine it is behind for a moment.
        try cluster.eventually("the second promotion to be refused") {
            cluster.change(.promote(id), at: follower) == .notLearner
        }
        let figures = cluster.store(leader).metrics
        #expect(figures.promotions.load(ordering: .relaxed) == 1)
        #expect(figures.promotionFailures[.learnerNotReady] ?? 0 > 0 && figures.promotionFailures[.notLearner] == 1)
        #expect(cluster.store(follower).metrics.promotionFailures.isEmpty)
        try cluster.eventually("the news of it") { !cluster.store(3).isLearner }
        #expect(cluster.client(3).put("b", "2").error == nil)
        #expect(cluster.client(3).read() == nil)
        try cluster.eventually("its name to be known") {
            cluster.store(leader).members.contains { $0.id == id && $0.name == "m3" }
        }
        // Four voters stand the loss of one, also after a restart of the new one.
        cluster.stop(3)
        try cluster.start(3)
        cluster.stop(leader)
        _ = try cluster.leader()
        #expect(cluster.client(3).put("c", "3").error == nil, "\(cluster.notices.all)")
    }

    @Test(arguments: [true, false])
    func `a member that joins knows from the start whether it votes`(isLearner: Bool) throws {
        let cluster = try TestCluster(3) { $0.strictReconfiguration = false }
        let leader = try cluster.leader()
        let id: UInt64 = 0xabc
        let urls = ["http://127.0.0.1:1003"]
        #expect(cluster.change(.add(id, peerURLs: urls, isLearner: isLearner), at: leader) == nil)
        // Nothing of the cluster comes to it yet.
        cluster.network.isolate(MemberID(rawValue: id))
        try cluster.join(3, as: id)
        #expect(cluster.store(3).isLearner == isLearner)
        // It does not remember; a learner promises less.
        cluster.stop(3)
        try cluster.start(3)
        #expect(cluster.store(3).memberID == id && cluster.store(3).isLearner)
        cluster.network.heal()
        try cluster.eventually("what the cluster has") { cluster.store(3).members.count == 4 }
        try cluster.eventually("its place in the cluster") { cluster.store(3).isLearner == isLearner }
    }

    @Test func `a list of members that comes while a member starts is not followed by an older one`() throws {
        let cluster = try TestCluster(3) { $0.strictReconfiguration = false }
        _ = try cluster.leader()
        cluster.stop(2)
        let id: UInt64 = 0xabc
        let added = cluster.change(.add(id, peerURLs: ["http://127.0.0.1:1003"], isLearner: true), at: 0)
        #expect(added == nil)
        let transport = Mutex<SlowTransport?>(nil)
        try cluster.start(2) { inner in
            let slow = SlowTransport(inner)
            transport.withLock { $0 = slow }
            return slow
        }
        try cluster.eventually("the news of the learner") { cluster.store(2).members.contains { $0.id == id } }
        let told = transport.withLock { $0 }
        try cluster.eventually("the transport to be told") { (told?.lists ?? 0) >= 2 }
        #expect(told?.wasOvertaken == false)
    }

    @Test func `a removed member is told so, and the others go on`() throws {
        let cluster = try TestCluster(3) { $0.strictReconfiguration = false }
        let leader = try cluster.leader()
        let other = (0..<3).first { $0 != leader }!
        let id = cluster.store(leader).memberID
        #expect(cluster.change(.remove(5), at: other) == .memberNotFound)
        #expect(cluster.change(.remove(id), at: other) == nil)
        try cluster.eventually("the removed leader to hear of it") {
            cluster.notices.contains("m\(leader): removed")
        }
        let rest = (0..<3).filter { $0 != leader }
        _ = try cluster.leader(among: rest)
        #expect(cluster.client(other).put("after", "1").error == nil)
        #expect(!cluster.store(other).members.contains { $0.id == id })
        #expect(cluster.change(.remove(id), at: other) == .memberNotFound)
    }

    /// A leader says nothing to a member any more whose removal it has applied. One that is late then hears of it by asking
    /// only, and there is nobody to ask here: another cluster is tried.
    private func clusterWithRemovedMember() throws -> (TestCluster, gone: Int, leader: Int) {
        var triesLeft = 5
        while true {
            triesLeft -= 1
            let cluster = try TestCluster(3) { $0.strictReconfiguration = false }
            let leader = try cluster.leader()
            let gone = (0..<3).first { $0 != leader }!
            let id = cluster.store(gone).memberID
            cluster.network.loseQuestions(true)
            #expect(cluster.change(.remove(id), at: leader) == nil)
            do {
                try cluster.eventually("the removed member to hear of it", seconds: 5) {
                    !cluster.store(gone).members.contains { $0.id == id }
                }
                return (cluster, gone, leader)
            } catch let error as TestCluster.Timeout where triesLeft > 0 {
                print("\(error.what): another cluster")
            }
        }
    }

    @Test func `a removed member stays until a majority of the others says that it knows of it`() throws {
        let (cluster, gone, leader) = try clusterWithRemovedMember()
        // Ten election timeouts.
        let began = MonotonicClock.milliseconds
        try cluster.eventually("some time to pass") { MonotonicClock.milliseconds - began > 1_000 }
        #expect(!cluster.notices.contains("m\(gone): removed"))
        cluster.network.loseQuestions(false)
        try cluster.eventually("it to go") { cluster.notices.contains("m\(gone): removed") }
        #expect(cluster.client(leader).put("after", "1").error == nil)
    }

    @Test(arguments: [false, true])
    func `a dead member is replaced in one joint change, and a leader that is replaced leads it`(isDead: Bool) throws {
        let cluster = try TestCluster(3) { $0.strictReconfiguration = false }
        let old = try cluster.leader()
        let oldID = cluster.store(old).memberID
        let rest = (0..<3).filter { $0 != old }
        #expect(cluster.client(old).put("a", "1").error == nil)
        if isDead {
            cluster.network.isolate(cluster.id(old))
            cluster.stop(old)
        }
        _ = try cluster.leader(among: isDead ? rest : [0, 1, 2])
        func step() -> Result<Replacement, StoreError> {
            let answer = Awaited<Result<Replacement, StoreError>>()
            cluster.store(rest[0]).replaceMember(oldID, peerURLs: ["http://127.0.0.1:1003"], newID: 0xabc) {
                answer.set($0)
            }
            return answer.value
        }
        #expect(step() == .success(.added(0xabc)))
        guard case .success(.catchingUp(0xabc, let progress)) = step() else {
            Issue.record("it cannot have caught up before it has started")
            return
        }
        #expect(progress.matched == 0 && progress.last > 0 && !progress.isInTouch)
        try cluster.join(3, as: 0xabc)
        try cluster.eventually("the replacement") { step() == .success(.done(0xabc)) }
        #expect(
            cluster.store(rest[0]).members.map(\.id).sorted()
                == (rest.map { cluster.store($0).memberID } + [0xabc]).sorted())
        try cluster.eventually("the new member to vote") { !cluster.store(3).isLearner }
        _ = try cluster.leader(among: rest + [3])
        #expect(cluster.client(3).put("b", "2").error == nil)
        if !isDead {
            try cluster.eventually("the old one to hear of it") { cluster.notices.contains("m\(old): removed") }
        }
        // Three voters: one may go.
        cluster.stop(rest[1])
        _ = try cluster.leader(among: [rest[0], 3])
        #expect(cluster.client(rest[0]).put("c", "3").error == nil)
    }

    @Test func `a learner is promoted by itself where that is asked for`() throws {
        let cluster = try TestCluster(1) {
            $0.strictReconfiguration = false
            $0.promotesLearners = true
        }
        #expect(cluster.client(0).put("a", "1").error == nil)
        let added = MembershipChange.add(0xabc, peerURLs: ["http://127.0.0.1:1003"], isLearner: true)
        #expect(cluster.change(added, at: 0) == nil)
        try cluster.join(3, as: 0xabc)
        try cluster.eventually("the promotion") { !cluster.store(0).isLearner(0xabc) }
        #expect(cluster.client(3).put("b", "2").error == nil)
    }

    @Test func `peer URLs change by agreement, and are nobody's twice`() throws {
        let cluster = try TestCluster(3) { $0.strictReconfiguration = false }
        let leader = try cluster.leader()
        let id = cluster.store(leader).memberID
        let taken = cluster.store(leader).members.first { $0.id != id }!.peerURLs
        #expect(cluster.change(.update(id, peerURLs: taken), at: leader) == .peerURLExists)
        #expect(cluster.change(.add(77, peerURLs: taken, isLearner: false), at: leader) == .peerURLExists)
        #expect(cluster.change(.update(77, peerURLs: ["http://127.0.0.1:7"]), at: leader) == .memberNotFound)
        #expect(cluster.change(.update(id, peerURLs: ["http://127.0.0.1:7"]), at: leader) == nil)
        for number in 0..<3 {
            try cluster.eventually("the URL to be known to m\(number)") {
                cluster.store(number).members.first { $0.id == id }?.peerURLs == ["http://127.0.0.1:7"]
            }
        }
        #expect(cluster.store(leader).members.first { $0.id == id }?.name == "m\(leader)")
    }

    @Test func `strict checks refuse to add before the members know each other well`() throws {
        let cluster = try TestCluster(3)
        let leader = try cluster.leader()
        let add = MembershipChange.add(77, peerURLs: ["http://127.0.0.1:7"], isLearner: true)
        #expect(cluster.change(add, at: leader) == .unhealthy)
    }
}

/// Takes its time with the first list of members: so long that a second one would be done before it.
private final class SlowTransport: Transport {
    private static let patienceMilliseconds = 300

    private struct State {
        var begun = 0
        var done = 0
        var wasOvertaken = false
    }

    private let inner: MemoryTransport
    private let state = Mutex(State())
    private let second = DispatchSemaphore(value: 0)

    init(_ inner: MemoryTransport) {
        self.inner = inner
    }

    /// That it has taken.
    var lists: Int { state.withLock { $0.done } }
    /// A list came, and was taken, before the one that came first was.
    var wasOvertaken: Bool { state.withLock { $0.wasOvertaken } }

    func update(_ peers: [Peer]) {
        let number = state.withLock { state in
            state.begun += 1
            return state.begun
        }
        if number == 1 { _ = second.wait(timeout: .now() + .milliseconds(Self.patienceMilliseconds)) }
        inner.update(peers)
        state.withLock { state in
            state.done += 1
            if number > state.done { state.wasOvertaken = true }
        }
        if number == 2 { second.signal() }
    }

    func start(_ receiver: any TransportReceiver) { inner.start(receiver) }
    func send(_ messages: [Message]) { inner.send(messages) }
    func sendSnapshot(_ metadata: SnapshotMetadata, to member: MemberID, from source: any SnapshotSource) {
        inner.sendSnapshot(metadata, to: member, from: source)
    }
    func ask(_ member: MemberID, _ request: [UInt8], answer: @escaping @Sendable ([UInt8]?) -> Void) {
        inner.ask(member, request, answer: answer)
    }
    func close() { inner.close() }
}
