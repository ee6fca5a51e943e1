import StrakeMVCC
import StrakeModel
import StrakePowerCut
import StrakeRaft
import StrakeStateMachine
import StrakeStore
import StrakeTemporaryDirectory
import Testing

private func ids(_ numbers: UInt64...) -> [MemberID] { numbers.map { MemberID(rawValue: $0) } }

/// A member that is left of a cluster becomes one by itself.
@Suite(.serialized) @OwnThread
struct ForcedClusterTests {
    @Test(
        "from every configuration single changes lead to one voter alone",
        arguments: [
            (Configuration(voters: ids(1)), 0),
            (Configuration(voters: ids(1, 2, 3)), 2),
            (Configuration(voters: ids(1, 2), learners: ids(3)), 2),
            // A learner, and a member that had been removed.
            (Configuration(voters: ids(2, 3), learners: ids(1)), 3),
            (Configuration(voters: ids(2, 3)), 3),
            // In the middle of a change: of a voter, of one that goes, of one that becomes a learner.
            (Configuration(voters: ids(1, 2, 4), outgoing: ids(1, 2, 3), autoLeave: true), 3),
            (Configuration(voters: ids(2, 3), outgoing: ids(1, 2, 3)), 4),
            (Configuration(voters: ids(2, 3), outgoing: ids(1, 2, 3), learnersNext: ids(1)), 4),
        ] as [(Configuration, Int)])
    func changes(configuration: Configuration, count: Int) throws {
        let own = MemberID(rawValue: 1)
        let attributes = MemberAttributes(id: 1, name: "m1", peerURLs: ["http://h1:1"])
        let changes = ForcedCluster.changes(from: configuration, to: own, attributes: attributes)
        #expect(changes.count == count)
        var left = configuration
        for change in changes {
            left = try left.applying(change)
            #expect(!left.isJoint)
        }
        #expect(left == Configuration(voters: [own]))
    }

    /// A follower of three with a put of its own, the others stopped; and what its directory holds.
    private func abandoned(_ cluster: TestCluster) throws -> Int {
        let leader = try cluster.leader()
        let left = (0..<3).first { $0 != leader }!
        for number in 0..<20 { #expect(cluster.client(left).put("key\(number)", "1").error == nil) }
        for number in (0..<3).filter({ $0 != left }) + [left] {
            cluster.network.isolate(cluster.id(number))
            cluster.stop(number)
        }
        return left
    }

    /// Opens a member's directory, alone.
    private func open(_ options: StoreOptions, forced: Bool) throws -> RunningStore {
        var options = options
        options.forceNewCluster = forced
        let member = try RunningStore.identity(for: options).member
        return try RunningStore(opening: options, transport: MemoryNetwork().transport(of: member))
    }

    @Test func `a member that is left goes on alone, with its data and ids, and only once`() throws {
        let cluster = try TestCluster(3) { $0.strictReconfiguration = false }
        let ids = (cluster.id(0), cluster.store(0).clusterID)
        let left = try abandoned(cluster)
        let options = cluster.options(left)
        let urls = options.peerURLs

        let forced = try open(options, forced: true)
        #expect(cluster.notices.contains("m\(left): forced: this member is the whole cluster now"))
        #expect(try forced.store.value("key19") == "1")
        #expect(forced.store.clusterID == ids.1)
        #expect(forced.store.members.map(\.peerURLs) == [urls])
        #expect(Client(forced.store).put("alone", "2").error == nil)
        // Members that come later are not thrown out by a flag that was left standing.
        let added = Awaited<StoreError?>()
        forced.store.change(.add(77, peerURLs: ["http://127.0.0.1:7"], isLearner: true)) { result in
            if case .failure(let error) = result { added.set(error) } else { added.set(nil) }
        }
        #expect(added.value == nil)
        forced.close()

        let second = try open(options, forced: true)
        #expect(cluster.notices.contains("carried out before"))
        #expect(second.store.members.count == 2)
        #expect(try second.store.value("alone") == "2")
        second.close()
        let without = try open(options, forced: false)
        #expect(without.store.members.count == 2)
        without.close()
        let again = try open(options, forced: true)
        #expect(again.store.members.map(\.peerURLs) == [urls])
        #expect(Client(again.store).put("once more", "3").error == nil)
        again.close()
    }

    @Test func `a learner that is left becomes a voter`() throws {
        let cluster = try TestCluster(1) { $0.strictReconfiguration = false }
        let urls = ["http://127.0.0.1:1003"]
        #expect(cluster.client(0).put("a", "1").error == nil)
        #expect(cluster.change(.add(0xabc, peerURLs: urls, isLearner: true), at: 0) == nil)
        try cluster.join(3, as: 0xabc)
        try cluster.eventually("the learner to have it all") { try cluster.store(3).value("a") == "1" }
        try cluster.eventually("the learner to know that it is one") { cluster.store(3).isLearner }
        cluster.stopAll()
        let forced = try open(cluster.options(3), forced: true)
        defer { forced.close() }
        #expect(forced.store.members.map(\.id) == [0xabc])
        #expect(!forced.store.isLearner)
        #expect(Client(forced.store).put("b", "2").error == nil)
    }

    @Test func `the flag means nothing to a member without data`() throws {
        let directory = TemporaryDirectory(in: .memory)
        var options = StoreOptions(dataDirectory: directory.path)
        options.forceNewCluster = true
        let running = try RunningStore(opening: options)
        #expect(Client(running.store).put("a", "1").revision == 2)
        running.close()
    }

    @Test func `after any cut while it is forced the member is of the old cluster or alone, and can be forced again`()
        throws
    {
        let cluster = try TestCluster(3)
        let left = try abandoned(cluster)
        let recording = PowerCut(directory: cluster.options(left).dataDirectory)
        let forced = try open(cluster.options(left), forced: true)
        let opened = recording.position
        #expect(Client(forced.store).put("alone", "2").error == nil)
        let answered = recording.position
        forced.close()
        recording.stop()

        var alone = 0
        for position in 0...answered {
            let target = TemporaryDirectory(in: .memory)
            recording.cut(at: position, seed: UInt64(position), into: target.path)
            var options = cluster.options(left)
            options.dataDirectory = target.path
            let without = try open(options, forced: false)
            let members = without.store.members.count
            if members == 1 { alone += 1 }
            // While it is not alone it may not know yet what of its log is committed.
            #expect(members == 1 || members == 3, "cut at \(position)")
            without.close()
            let again = try open(options, forced: true)
            #expect(again.store.members.count == 1, "cut at \(position)")
            #expect(try again.store.value("key19") == "1", "cut at \(position)")
            if position == answered { #expect(try again.store.value("alone") == "2") }
            #expect(Client(again.store).put("after", "3").error == nil, "cut at \(position)")
            again.close()
        }
        #expect(alone > 0 && alone <= answered, "\(alone) of \(answered)")
        print("\(answered + 1) cuts, \(opened) before it was open; alone after \(alone)")
    }
}
