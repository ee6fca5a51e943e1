import StrakeLeases
import StrakeLog
import StrakeMVCC
import StrakeModel
import StrakeRaft
import StrakeStateMachine
import StrakeStore
import Testing

/// Three stores in one process, joined by a network in memory.
@Suite(.serialized) @OwnThread
struct ClusterTests {
    @Test func `three members elect a leader, and a put through any of them is read through all`() throws {
        let cluster = try TestCluster(3)
        _ = try cluster.leader()
        for number in 0..<3 {
            let result = cluster.client(number).put("key\(number)", "from \(number)")
            #expect(result.error == nil)
            #expect(result.revision == Int64(number) + 2)
        }
        for number in 0..<3 {
            #expect(cluster.client(number).read() == nil)
            for other in 0..<3 { #expect(try cluster.store(number).value("key\(other)") == "from \(other)") }
        }
        #expect(Set((0..<3).map { cluster.store($0).clusterID }).count == 1)
        #expect(Set((0..<3).map { cluster.store($0).memberID }).count == 3)
        try cluster.eventually("every member to be known by name") {
            cluster.store(0).members.map(\.name).sorted() == ["m0", "m1", "m2"]
                && cluster.store(0).members.allSatisfy { $0.clientURLs.count == 1 }
        }
        #expect(try cluster.haveEqualHistories())
    }

    @Test func `the others go on without a leader that died, and it catches up when it is back`() throws {
        let cluster = try TestCluster(3)
        let first = try cluster.leader()
        #expect(cluster.client(first).put("before", "1").error == nil)
        // Cut off first, so that it cannot hand over.
        cluster.network.isolate(cluster.id(first))
        cluster.stop(first)
        cluster.network.heal()
        let others = (0..<3).filter { $0 != first }
        let second = try cluster.leader(among: others)
        #expect(second != first)
        for number in others { #expect(cluster.client(number).put("after\(number)", "2").error == nil) }
        try cluster.start(first)
        try cluster.eventually("the log to reach the one that was away") {
            try cluster.store(first).value("after\(second)") == "2"
        }
        #expect(cluster.client(first).read() == nil)
        #expect(cluster.client(first).put("again", "3").error == nil)
        #expect(try cluster.haveEqualHistories())
    }

    @Test func `a member without a quorum serves what it has, and takes no write`() throws {
        let cluster = try TestCluster(3)
        let leader = try cluster.leader()
        #expect(cluster.client(leader).put("a", "1").error == nil)
        let left = (0..<3).first { $0 != leader }!
        try cluster.eventually("the put to be everywhere") { try cluster.store(left).value("a") == "1" }
        for number in 0..<3 where number != left { cluster.stop(number) }
        try cluster.eventually("the leader to be missed") { !cluster.store(left).hasLeader }
        #expect(try cluster.store(left).value("a") == "1")
        #expect(cluster.store(left).isServing)
        #expect(cluster.client(left).put("b", "2").error == .deadlineExceeded)
        #expect(cluster.client(left).read() == .timeout)
    }

    @Test func `a deposed leader's unfinished puts are refused or made, never both ways`() throws {
        let cluster = try TestCluster(3)
        let first = try cluster.leader()
        #expect(cluster.client(first).put("a", "1").error == nil)
        cluster.network.isolate(cluster.id(first))
        let client = cluster.client(first)
        let lost = client.begin(.put(PutRequest(key: Array("lost".utf8), value: [])))
        let others = (0..<3).filter { $0 != first }
        let second = try cluster.leader(among: others)
        #expect(cluster.client(second).put("b", "2").error == nil)
        cluster.network.heal()
        let result = client.wait(for: lost)
        #expect(result.error == .leaderChanged)
        #expect(try cluster.haveEqualHistories())
        #expect(try cluster.store(first).value("lost") == nil)
    }

    @Test func `leases are kept alive through any member, and end on all`() throws {
        let cluster = try TestCluster(3)
        let leader = try cluster.leader()
        let follower = (0..<3).first { $0 != leader }!
        let lease = LeaseID(rawValue: 7)
        let client = cluster.client(follower)
        _ = client.run(.leaseGrant(id: lease, ttlSeconds: 2))
        #expect(client.put("leased", "x", lease: lease).error == nil)
        #expect(client.keepAlive(lease) == .success(2))
        #expect(client.keepAlive(LeaseID(rawValue: 8)) == .success(0))
        guard case .success(let left?) = client.remaining(of: lease) else {
            Issue.record("no time left")
            return
        }
        // A leader that was elected meanwhile gives an election timeout more.
        #expect(left > 1_000 && left <= 2_000 + Int64(cluster.options(leader).electionMilliseconds))
        try cluster.eventually("the lease to end everywhere") {
            try (0..<3).allSatisfy { try cluster.store($0).value("leased") == nil }
        }
        #expect(try cluster.haveEqualHistories())
    }

    @Test func `a leader that stops hands over, and nobody waits for an election`() throws {
        let cluster = try TestCluster(3) { $0.electionMilliseconds = 2_000 }
        let first = try cluster.leader()
        #expect(cluster.client(first).put("a", "1").error == nil)
        try cluster.eventually("the members to know each other") { cluster.store(first).membersInTouch == 3 }
        let began = MonotonicClock.milliseconds
        cluster.stop(first)
        let second = try cluster.leader(among: (0..<3).filter { $0 != first })
        #expect(cluster.client(second).put("b", "2").error == nil)
        #expect(MonotonicClock.milliseconds - began < 1_500)
    }

    @Test func `the leadership moves to the voter that was named`() throws {
        let cluster = try TestCluster(3)
        let leader = try cluster.leader()
        let next = (0..<3).first { $0 != leader }!
        #expect(cluster.client(next).moveLeader(to: cluster.store(next).memberID) == .notLeader)
        #expect(cluster.client(leader).moveLeader(to: 5) == .badLeaderTransferee)
        #expect(cluster.client(leader).moveLeader(to: cluster.store(next).memberID) == nil)
        #expect(try cluster.leader() == next)
        #expect(cluster.client(leader).put("a", "1").error == nil)
    }
}
