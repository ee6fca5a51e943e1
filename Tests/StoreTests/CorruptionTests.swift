import StrakeLMDB
import StrakeLog
import StrakeMVCC
import StrakeModel
import StrakeRaft
import StrakeStateMachine
import StrakeStore
import StrakeTables
import Synchronization
import Testing

/// Members whose stores are not the same.
@Suite(.serialized) @OwnThread
struct CorruptionTests {
    /// Changes what a stopped member's file says of a key, in a way that no checksum tells: its next event is another one
    /// than on the other members.
    private static func falsify(_ key: String, of number: Int, in cluster: TestCluster) throws {
        let tables = try StoreTables(directory: cluster.options(number).dataDirectory + "/store")
        try tables.environment.write { txn throws(TableError) in
            var writer = try tables.current.writer(in: txn)
            try Array(key.utf8).lent { key throws(TableError) in
                guard var entry = try writer.entry(for: key) else { return }
                entry.version += 1
                try writer.put(key, entry)
            }
        }
    }

    private static func corrupt(_ member: UInt64) -> AlarmMember {
        AlarmMember(member: member, alarm: AlarmMember.corrupt)
    }

    /// A cluster, all of whose members have the key, and one of them a falsified one.
    private static func cluster(_ count: Int, falsifying number: Int) throws -> TestCluster {
        let cluster = try TestCluster(count) { $0.strictReconfiguration = false }
        _ = try cluster.leader()
        #expect(cluster.client(number).put("k", "1").error == nil)
        try cluster.eventually("the put to be everywhere") {
            try (0..<count).allSatisfy { try cluster.store($0).value("k") == "1" }
        }
        cluster.stop(number)
        try falsify("k", of: number, in: cluster)
        try cluster.start(number)
        _ = try cluster.leader()
        return cluster
    }

    @Test(arguments: [false, true])
    func `the odd one out is named, serves nobody and does not lead`(leads: Bool) throws {
        let odd = 1
        let cluster = try Self.cluster(3, falsifying: odd)
        let id = cluster.store(odd).memberID
        if leads {
            let leader = try cluster.leader()
            if leader != odd { #expect(cluster.client(leader).moveLeader(to: id) == nil) }
        }
        #expect(cluster.client(0).put("k", "2").error == nil)
        try cluster.eventually("the alarm to be everywhere") {
            (0..<3).allSatisfy { cluster.store($0).alarms == [Self.corrupt(id)] }
        }
        try cluster.eventually("another leader") { try cluster.leader() != odd }
        #expect((0..<3).filter { cluster.store($0).isQuarantined } == [odd])
        #expect(cluster.notices.contains("m\(odd): the CORRUPT alarm names this member"))
        // As in etcd, no member takes a write; those that agree serve reads.
        #expect(cluster.client(0).put("k", "3").outcome.isRefused(.corrupt))
        #expect(try cluster.store(0).value("k") == "2")
        #expect(cluster.client(2).read() == nil)
        // It stays out after a restart too, until the operator has replaced it.
        cluster.stop(odd)
        try cluster.start(odd)
        #expect(cluster.store(odd).isQuarantined)
        let leader = try cluster.leader()
        #expect(cluster.change(.remove(id), at: leader) == nil)
        cluster.stop(odd)
        let disarm = AlarmCommand(action: .deactivate, member: id, alarm: AlarmMember.corrupt)
        #expect(cluster.client(0).run(.alarm(disarm)).error == nil)
        #expect(cluster.client(2).put("k", "4").error == nil)
        #expect(try cluster.store(2).value("k") == "4")
        #expect(try cluster.haveEqualHistories())
        #expect(cluster.store(0).alarms.isEmpty)
    }

    @Test func `of two members nobody can say which is wrong`() throws {
        let cluster = try Self.cluster(2, falsifying: 1)
        #expect(cluster.client(0).put("k", "2").error == nil)
        try cluster.eventually("the alarm to be everywhere") {
            (0..<2).allSatisfy { cluster.store($0).alarms == [Self.corrupt(0)] }
        }
        #expect((0..<2).allSatisfy { !cluster.store($0).isQuarantined })
    }

    @Test func `two of three that differ wait for the third to judge`() throws {
        let cluster = try Self.cluster(3, falsifying: 1)
        let id = cluster.store(1).memberID
        cluster.stop(0)
        _ = try cluster.leader()
        #expect(cluster.client(1).put("k", "2").error == nil)
        try cluster.eventually("the difference to be seen") { cluster.notices.contains("which of them is right") }
        #expect(cluster.store(2).alarms.isEmpty)
        try cluster.start(0)
        try cluster.eventually("the alarm to be everywhere") {
            (0..<3).allSatisfy { cluster.store($0).alarms == [Self.corrupt(id)] }
        }
    }

    @Test func `a member whose files are damaged says how to rebuild it, where there are others`() throws {
        let cluster = try TestCluster(2)
        _ = try cluster.leader()
        let id = String(cluster.store(1).memberID, radix: 16)
        cluster.stop(1)
        let log = cluster.options(1).dataDirectory + "/log"
        let segment = try #require(try FileDisk().list(log).first { $0.hasSuffix(".log") })
        let file = try FileDisk().open(log + "/" + segment, .existing)
        try [0xFF].withUnsafeBytes { try file.write($0, at: 40) }
        var text = ""
        do { try cluster.start(1) } catch { text = "\(error)" }
        #expect(text.contains("\(segment) is damaged at byte"))
        #expect(text.contains("etcdctl member remove \(id)"))
        #expect(text.contains("etcdctl member add m1 --peer-urls=http://127.0.0.1:1001"))
        #expect(text.contains("remove \(cluster.options(1).dataDirectory) here"))
        // A member alone has nobody to be rebuilt from.
        var alone = cluster.options(1)
        alone.initialMembers = []
        text = ""
        do { _ = try RunningStore(opening: alone) } catch { text = "\(error)" }
        #expect(text.contains("\(segment) is damaged at byte") && !text.contains("etcdctl"))
    }

    @Test func `equal members are compared again and again, and never found to differ`() throws {
        let cluster = try TestCluster(3) { options in
            options.retainedEntries = 20
            options.strictReconfiguration = false
        }
        let leader = try cluster.leader()
        let away = (0..<3).first { $0 != leader }!
        let client = cluster.client(leader)
        func comparisons() -> UInt64 { cluster.store(leader).metrics.digestComparisons.load(ordering: .relaxed) }
        func wait() throws {
            let seen = comparisons()
            try cluster.eventually("comparisons") { comparisons() >= seen + 3 }
        }
        _ = client.run(.leaseGrant(id: LeaseID(rawValue: 5), ttlSeconds: 1_000))
        cluster.stop(away)
        for round in 0..<3 {
            for number in 0..<400 {
                let lease = LeaseID(rawValue: number % 10 == 0 ? 5 : 0)
                #expect(client.put("key\(number % 50)", "\(round)", lease: lease).error == nil)
            }
            _ = client.run(.compact(revision: cluster.store(leader).reader.revision - 100, physical: true))
            if round == 0 {
                try cluster.dropLog(of: leader)
                try cluster.start(away)
                try cluster.eventually("the snapshot") { cluster.notices.contains("m\(away): installed") }
            }
            try wait()
        }
        _ = client.run(.leaseRevoke(LeaseID(rawValue: 5)))
        #expect(cluster.change(.add(77, peerURLs: ["http://127.0.0.1:1003"], isLearner: true), at: leader) == nil)
        try cluster.join(3, as: 77)
        try cluster.eventually("the learner's copy") { try cluster.store(3).value("key49") == "2" }
        try wait()
        #expect(try cluster.haveEqualHistories())
        #expect(cluster.store(leader).alarms.isEmpty)
        #expect(!cluster.notices.contains("differ"))
    }
}

extension [UInt8] {
    fileprivate func lent<E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> Void) throws(E) {
        try withUnsafeBufferPointer { bytes throws(E) in try body(UnsafeRawBufferPointer(bytes)) }
    }
}
