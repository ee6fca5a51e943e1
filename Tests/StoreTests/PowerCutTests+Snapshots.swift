import StrakeLog
import StrakeMVCC
import StrakeModel
import StrakePowerCut
import StrakeRaft
import StrakeSeededGenerator
import StrakeStore
import StrakeTemporaryDirectory
import Testing

extension PowerCutTests {
    /// Cuts while a member receives a snapshot, switches to it and goes on.
    private static let snapshotCuts = 120

    @Test func `after any cut while a snapshot is installed the member has the old state, the new one or a later one`()
        throws
    {
        let cluster = try TestCluster(3) { $0.retainedEntries = 20 }
        let leader = try cluster.leader()
        let away = (0..<3).first { $0 != leader }!
        let client = cluster.client(leader)
        for number in 0..<50 { #expect(client.put("before\(number)", "1").error == nil) }
        try cluster.eventually("the puts to arrive") { try cluster.store(away).value("before49") == "1" }
        cluster.stop(away)
        SnapshotTests.fill(client, compacting: false)
        try cluster.dropLog(of: leader)

        let directory = cluster.options(away).dataDirectory
        let recording = PowerCut(directory: directory)
        try cluster.start(away)
        try cluster.eventually("the snapshot") { cluster.notices.contains("m\(away): installed") }
        for number in 0..<50 { #expect(client.put("after\(number)", "2").error == nil) }
        try cluster.eventually("what came after it") { try cluster.store(away).value("after49") == "2" }
        cluster.store(away).requestCheckpoint()
        let end = recording.position
        cluster.stop(away)
        recording.stop()

        var random = SeededGenerator(seed: 11)
        var revisions: Set<Int64> = []
        let reference = cluster.store(leader).reader
        for _ in 0..<Self.snapshotCuts {
            let position = Int(random.next() % UInt64(end + 1))
            let seed = random.next()
            let target = TemporaryDirectory(in: .memory)
            recording.cut(at: position, seed: seed, into: target.path)
            var options = cluster.options(away)
            options.dataDirectory = target.path
            // Nobody else is there: it has what it has by itself.
            let member = try RunningStore.identity(for: options).member
            let network = MemoryNetwork()
            let running = try RunningStore(opening: options, transport: network.transport(of: member))
            defer { running.close() }
            try cluster.eventually("what it knows to be committed to be applied") {
                let status = running.store.status()
                return status.appliedIndex == status.committedIndex
            }
            let reader = running.store.reader
            let hash = try reader.hashKV(revision: 0)
            #expect(try hash == reference.hashKV(revision: hash.hashRevision), "cut \(seed) at \(position) of \(end)")
            #expect(reader.revision >= 51, "cut \(seed) at \(position) of \(end)")
            #expect(running.store.memberID == member.rawValue)
            revisions.insert(hash.hashRevision)
        }
        // The old state, the snapshot's and later ones were all met.
        #expect(revisions.count > 3, "\(revisions.sorted())")
        print("\(Self.snapshotCuts) cuts around a snapshot left revisions \(revisions.sorted())")
    }
}
