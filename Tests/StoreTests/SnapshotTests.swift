import StrakeChecksum
import StrakeLeases
import StrakeLog
import StrakeMVCC
import StrakeModel
import StrakeRaft
import StrakeSeededGenerator
import StrakeStateMachine
import StrakeStore
import StrakeTables
import StrakeTemporaryDirectory
import Testing

/// Members that the log cannot help any more.
@Suite(.serialized) @OwnThread
struct SnapshotTests {
    @Test func `a member that was away too long becomes a snapshot, and its copy is equal in every way`() throws {
        let cluster = try TestCluster(3) { $0.retainedEntries = 20 }
        let leader = try cluster.leader()
        let away = (0..<3).first { $0 != leader }!
        let client = cluster.client(leader)
        #expect(client.put("old", "1").error == nil)
        try cluster.eventually("the first put to arrive") { try cluster.store(away).value("old") == "1" }
        cluster.stop(away)
        Self.fill(client)
        try cluster.dropLog(of: leader)
        try cluster.start(away)
        try cluster.eventually("the snapshot") { cluster.notices.contains("m\(away): installed") }
        try cluster.eventually("the newest put") { try cluster.store(away).value("newest") == "x" }
        #expect(try cluster.haveEqualHistories())
        #expect(cluster.store(away).ttl(of: LeaseID(rawValue: 5)) == 1_000)
        #expect(cluster.store(away).alarms == cluster.store(leader).alarms)
        // What they tell of themselves may be under way, to the leader as to others.
        try cluster.eventually("one list of members") { cluster.store(away).members == cluster.store(leader).members }
        // It is a member like any other: also after a restart, and with what comes next.
        #expect(cluster.client(away).put("through it", "y").error == nil)
        cluster.stop(away)
        try cluster.start(away)
        #expect(cluster.client(away).read() == nil)
        #expect(try cluster.store(away).value("through it") == "y")
        _ = client.run(.leaseRevoke(LeaseID(rawValue: 5)))
        try cluster.eventually("the lease's key to go") { try cluster.store(away).value("leased") == nil }
        #expect(try cluster.haveEqualHistories())
    }

    /// The log is cut before members that seem to be gone, so nobody may seem so too soon.
    private static func keepingLogs(_ options: inout StoreOptions) {
        options.retainedEntries = 20
        options.electionMilliseconds = 500
    }

    @Test func `one snapshot is enough, however much is written meanwhile`() throws {
        let cluster = try TestCluster(3, configure: Self.keepingLogs)
        let leader = try cluster.leader()
        let away = (0..<3).first { $0 != leader }!
        let client = cluster.client(leader)
        cluster.stop(away)
        Self.fill(client)
        try cluster.dropLog(of: leader)
        try cluster.start(away)
        // The log is cut as often as it can be, until the member has what is newest.
        var count = 0
        try cluster.eventually("the member to catch up") {
            for _ in 0..<50 {
                count += 1
                #expect(client.put("meanwhile", "\(count)").error == nil)
            }
            cluster.store(leader).requestCheckpoint()
            return cluster.notices.contains("m\(away): installed") && count > 2_000
        }
        try cluster.eventually("the newest value") { try cluster.store(away).value("meanwhile") == "\(count)" }
        let sent = cluster.notices.all.filter { $0.contains("a snapshot") }
        #expect(sent.count { $0.contains("sending a snapshot") } == 1, "\(sent)")
        // With everybody up to date the log goes.
        try cluster.dropLog(of: leader)
    }

    @Test func `a stream that breaks off goes on where it was, and one that was away too long is sent anew`() throws {
        let cluster = try TestCluster(3, configure: Self.keepingLogs)
        let leader = try cluster.leader()
        let away = (0..<3).first { $0 != leader }!
        let client = cluster.client(leader)
        cluster.stop(away)
        Self.fill(client)
        let value = String(repeating: "x", count: 10_000)
        for number in 0..<200 { #expect(client.put("large\(number)", value).error == nil) }
        try cluster.dropLog(of: leader)
        cluster.network.disturbSnapshot(afterPieces: 30, .lost)
        try cluster.start(away)
        try cluster.eventually("the snapshot") { cluster.notices.contains("m\(away): installed") }
        let resumed = cluster.notices.all.first {
            $0.contains("m\(away): receiving") && $0.contains("again, from byte")
        }
        let offset = resumed?.split(separator: " ").compactMap { Int($0) }.last ?? 0
        // All records that were whole, of the 1.5 MB that came.
        #expect(offset > 1_000_000 && offset <= 30 * 50_000, "\(resumed ?? "not resumed")")
        #expect(cluster.notices.all.count { $0.contains("m\(away): receiving a snapshot") } == 1)
        #expect(try cluster.haveEqualHistories())

        // What came of a snapshot means nothing to a member that has started again.
        let applied = cluster.store(away).status().appliedIndex
        cluster.stop(away)
        for number in 0..<200 { #expect(client.put("more\(number)", value).error == nil) }
        try cluster.eventually("the log to be cut") {
            cluster.store(leader).requestCheckpoint()
            return cluster.store(leader).logStart > applied
        }
        cluster.network.disturbSnapshot(afterPieces: 30, .lost)
        try cluster.start(away)
        try cluster.eventually("the second snapshot to break off") {
            cluster.notices.all.count { $0.contains("m\(away): receiving a snapshot") } >= 2
        }
        cluster.stop(away)
        try cluster.start(away)
        try cluster.eventually("the newest put") { try cluster.store(away).value("more199") == value }
        #expect(try cluster.haveEqualHistories())
    }

    @Test func `a stream that was damaged begins anew`() throws {
        let cluster = try TestCluster(3) { $0.retainedEntries = 20 }
        let leader = try cluster.leader()
        let away = (0..<3).first { $0 != leader }!
        let client = cluster.client(leader)
        cluster.stop(away)
        let value = String(repeating: "x", count: 10_000)
        for number in 0..<200 { #expect(client.put("large\(number)", value).error == nil) }
        try cluster.dropLog(of: leader)
        cluster.network.disturbSnapshot(afterPieces: 20, .damaged)
        try cluster.start(away)
        try cluster.eventually("the snapshot") { cluster.notices.contains("m\(away): installed") }
        #expect(cluster.notices.all.count { $0.contains("m\(away): receiving a snapshot") } == 2)
        #expect(!cluster.notices.contains("again, from byte"))
        #expect(try cluster.haveEqualHistories())
    }

    @Test func `a snapshot that cannot be opened stops the member, which keeps what it had`() throws {
        let cluster = try TestCluster(3) { $0.retainedEntries = 20 }
        let leader = try cluster.leader()
        let away = (0..<3).first { $0 != leader }!
        let client = cluster.client(leader)
        #expect(client.put("old", "1").error == nil)
        try cluster.eventually("the first put to arrive") { try cluster.store(away).value("old") == "1" }
        let (id, applied) = (cluster.id(away), cluster.store(away).status().appliedIndex)
        cluster.stop(away)
        Self.fill(client)
        try cluster.dropLog(of: leader)
        cluster.network.forgeSnapshots { Self.withoutLeaseVersion($0) }
        try cluster.start(away)
        try cluster.eventually("the end") {
            cluster.notices.contains("m\(away): fatal: cannot open the snapshot as of entry")
        }
        #expect(cluster.client(away).put("late", "x").error == .stopped)
        cluster.stop(away)
        #expect(!cluster.notices.contains("m\(away): installed"))
        #expect(cluster.network.acknowledged(by: id).rawValue < cluster.store(leader).logStart)

        // Without the others it has just what it had before.
        cluster.network.isolate(id)
        try cluster.start(away)
        #expect(try cluster.store(away).value("old") == "1")
        #expect(cluster.store(away).status().appliedIndex >= applied)
        cluster.network.forgeSnapshots(nil)
        cluster.network.heal()
        try cluster.eventually("the snapshot") { cluster.notices.contains("m\(away): installed") }
        #expect(try cluster.haveEqualHistories())
    }

    /// A stream of a snapshot whose first lease is of a version that nobody knows.
    nonisolated private static func withoutLeaseVersion(_ stream: [UInt8]) -> [UInt8] {
        func number(at offset: Int) -> Int { stream[offset..<offset + 4].reversed().reduce(0) { $0 << 8 | Int($1) } }
        var offset = 0
        // Records of kind 2 are rows; those of leases come first.
        while stream[offset + 8] != 2 { offset += 8 + number(at: offset) }
        let record = offset + 8..<offset + 8 + number(at: offset)
        var forged = stream
        forged[record.lowerBound + 5 + number(at: record.lowerBound + 1)] = 99
        let checksum = CRC32C.checksum(Array(forged[record]))
        for byte in 0..<4 { forged[offset + 4 + byte] = UInt8(truncatingIfNeeded: checksum >> (8 * UInt32(byte))) }
        return forged
    }

    @Test func `a snapshot that is refused is offered ever more seldom, and the operator is told why`() throws {
        let cluster = try TestCluster(3) { $0.retainedEntries = 20 }
        let leader = try cluster.leader()
        let away = (0..<3).first { $0 != leader }!
        cluster.stop(away)
        Self.fill(cluster.client(leader))
        try cluster.dropLog(of: leader)
        cluster.network.refuseSnapshots(true)
        try cluster.start(away)
        func pauses() -> [String] {
            cluster.notices.all
                .filter {
                    $0.hasPrefix("m\(leader): ") && $0.contains("did not take a snapshot: the member refused it")
                }
                .compactMap { text in text.firstRange(of: "again in ").map { String(text[$0.upperBound...]) } }
        }
        try cluster.eventually("four refusals") { pauses().count >= 4 }
        #expect(pauses().prefix(4) == ["10 ms", "20 ms", "40 ms", "80 ms"])
        cluster.network.refuseSnapshots(false)
        try cluster.eventually("the snapshot") { cluster.notices.contains("m\(away): installed") }
        #expect(try cluster.haveEqualHistories())
    }

    @Test func `a stream that brings the member further each time it breaks off is not held up`() throws {
        let cluster = try TestCluster(3) { $0.retainedEntries = 20 }
        let leader = try cluster.leader()
        let away = (0..<3).first { $0 != leader }!
        let client = cluster.client(leader)
        cluster.stop(away)
        let value = String(repeating: "x", count: 10_000)
        for number in 0..<200 { #expect(client.put("large\(number)", value).error == nil) }
        try cluster.dropLog(of: leader)
        cluster.network.disturbSnapshot(afterPieces: 15, .lost, times: 2)
        try cluster.start(away)
        try cluster.eventually("the snapshot") { cluster.notices.contains("m\(away): installed") }
        let failures = cluster.notices.all.filter { $0.contains("did not take a snapshot") }
        #expect(failures.count == 2 && failures.allSatisfy { $0.hasSuffix("again in 10 ms") }, "\(failures)")
        #expect(try cluster.haveEqualHistories())
    }

    @Test func `reads at old revisions and watches go on in a store that came as a snapshot`() throws {
        let cluster = try TestCluster(3) { $0.retainedEntries = 20 }
        let leader = try cluster.leader()
        let away = (0..<3).first { $0 != leader }!
        let client = cluster.client(leader)
        #expect(client.put("a", "first").error == nil)
        try cluster.eventually("the first put to arrive") { try cluster.store(away).value("a") == "first" }
        cluster.network.isolate(cluster.id(away))
        let target = cluster.client(away)
        _ = target.takePublished()
        let seen = cluster.store(away).reader.revision
        Self.fill(client, compacting: false)
        let old = client.put("a", "second").revision
        #expect(client.put("a", "third").error == nil)
        try cluster.dropLog(of: leader)
        cluster.network.heal()
        try cluster.eventually("the snapshot") { cluster.notices.contains("m\(away): installed") }
        try cluster.eventually("the newest value") { try cluster.store(away).value("a") == "third" }
        let reader = cluster.store(away).reader
        let key = Array("a".utf8)
        #expect(try reader.withView { view in try view.keyValue(key, at: old) }?.value == Array("second".utf8))
        #expect(try reader.withView { view in try view.keyValue(key, at: seen) }?.value == Array("first".utf8))
        // Whoever watches is told that it has to look into history.
        #expect(target.skippedThrough > seen)
        #expect(try cluster.haveEqualHistories())
    }

    @Test func `a snapshot cut short at any place is refused, and one whole is the store`() throws {
        let directory = TemporaryDirectory(in: .memory)
        var options = StoreOptions(dataDirectory: directory.path + "/data")
        options.logSegmentBytes = 64 << 10
        let running = try RunningStore(opening: options)
        defer { running.close() }
        Self.fill(Client(running.store))
        var source = running.store.makeSnapshot()
        var pieces: [[UInt8]] = []
        while let piece = try source.next(bytesMax: 7_919) { pieces.append(piece) }
        let whole = pieces.flatMap { $0 }
        #expect(pieces.allSatisfy { $0.count <= 7_919 })

        func build(_ bytes: [UInt8]) throws -> KVHash {
            let copy = TemporaryDirectory(in: .memory)
            let tables = try StoreTables(directory: copy.path)
            var reader = try SnapshotReader(source.metadata, into: tables)
            try reader.write(bytes)
            try reader.finish()
            var machine = try StateMachine(tables: tables, founding: source.metadata)
            machine.store.publish()
            #expect(machine.applied == source.metadata.last)
            #expect(machine.lessor.lease(LeaseID(rawValue: 5))?.ttl == 1_000)
            return try machine.store.reader.hashKV(revision: 0)
        }
        #expect(try build(whole) == running.store.reader.hashKV(revision: 0))
        var random = SeededGenerator(seed: 3)
        for _ in 0..<30 {
            let cut = Int(random.next() % UInt64(whole.count))
            #expect(throws: SnapshotError.self) { try build(Array(whole[..<cut])) }
            var flipped = whole
            flipped[cut] ^= 1 << UInt8(random.next() % 8)
            #expect(throws: SnapshotError.self) { try build(flipped) }
        }
    }

    /// Keys of all kinds: put again, deleted, made anew, of a lease, in one transaction, and partly compacted.
    nonisolated static func fill(_ client: Client, compacting: Bool = true) {
        _ = client.run(.leaseGrant(id: LeaseID(rawValue: 5), ttlSeconds: 1_000))
        _ = client.put("leased", "l", lease: LeaseID(rawValue: 5))
        for round in 0..<3 {
            _ = client.run(
                (0..<60).map { number in
                    let key = Array("key\(number)".utf8)
                    if number % 7 == round { return .deleteRange(DeleteRangeRequest(range: .key(key))) }
                    let value = [UInt8](repeating: UInt8(round), count: number * 50)
                    return .put(PutRequest(key: key, value: value))
                })
            var txn = TxnRequest()
            txn.success = [
                .put(PutRequest(key: Array("txn1".utf8), value: [UInt8(round)])),
                .put(PutRequest(key: Array("txn2".utf8), value: [])),
            ]
            _ = client.run(.txn(txn))
        }
        _ = client.run(.alarm(AlarmCommand(action: .activate, member: 9, alarm: 3)))
        if compacting {
            let revision = client.put("mark", "m").revision
            _ = client.run(.compact(revision: revision - 100, physical: false))
        }
        for number in 0..<30 { _ = client.put("late\(number % 5)", "\(number)") }
        _ = client.put("newest", "x")
    }
}
