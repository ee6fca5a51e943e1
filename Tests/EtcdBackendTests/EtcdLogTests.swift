import StrakeModel
import StrakeSeededGenerator
import Testing

@testable import StrakeEtcdBackend

struct EtcdLogTests {
    private func read(_ files: [EtcdLogFile], after applied: UInt64) throws -> EtcdLog {
        var log = EtcdLog(after: applied)
        for (number, file) in files.enumerated() {
            try file.bytes.withUnsafeBytes { try log.add($0, isLast: number == files.count - 1) }
        }
        return log
    }

    private func indexes(_ log: EtcdLog) throws(EtcdLogError) -> [UInt64] {
        try log.check()
        return log.items.map(\.index)
    }

    @Test func `entries behind the database are found, with their data`() throws {
        var (one, two) = (EtcdLogFile(), EtcdLogFile())
        for index in 1...5 as ClosedRange<UInt64> { one.entry(index, "one \(index)".bytes) }
        two = EtcdLogFile(after: one)
        for index in 6...9 as ClosedRange<UInt64> { two.entry(index, "two \(index)".bytes) }
        two.reserve(4_096)
        let log = try read([one, two], after: 3)
        #expect(try indexes(log) == [4, 5, 6, 7, 8, 9])
        let data = log.items.map { Array([one, two][$0.segment].bytes[$0.range]) }
        #expect(data == ["one 4", "one 5", "two 6", "two 7", "two 8", "two 9"].map(\.bytes))
    }

    @Test func `an entry of an index that was there supersedes all behind it`() throws {
        var file = EtcdLogFile()
        for index in 1...8 as ClosedRange<UInt64> { file.entry(index, "old".bytes) }
        file.entry(6, term: 2, "new".bytes)
        file.entry(7, term: 2, "new".bytes)
        let log = try read([file], after: 4)
        #expect(try indexes(log) == [5, 6, 7])
        #expect(log.items.map { Array(file.bytes[$0.range]) } == ["old", "new", "new"].map(\.bytes))
    }

    @Test func `what is not marked as committed is there, and counted`() throws {
        var file = EtcdLogFile()
        for index in 1...8 as ClosedRange<UInt64> { file.entry(index) }
        file.committed(6)
        let log = try read([file], after: 4)
        #expect(try indexes(log) == [5, 6, 7, 8])
        #expect(log.unmarkedCount == 2)
    }

    @Test func `changes of members are no requests`() throws {
        var file = EtcdLogFile()
        file.entry(1, kind: 1, [1])
        file.entry(2, kind: 2, [1])
        file.entry(3, [1])
        #expect(try read([file], after: 0).items.map(\.kind) == [.memberChange, .other, .request])
    }

    @Test func `whose log it is, and how far terms have come`() throws {
        var file = EtcdLogFile()
        file.add(kind: 1, field(1, 7) + field(2, 9))
        file.entry(1, term: 3)
        file.add(kind: 3, field(1, 5) + field(2, 7) + field(3, 1))
        let log = try read([file], after: 0)
        #expect(log.member == 7 && log.cluster == 9 && log.term == 5)
    }

    @Test func `a log that goes on from a snapshot of another member's needs the database of it`() throws {
        var file = EtcdLogFile()
        file.entry(1)
        file.snapshot(50)
        file.entry(51)
        #expect(throws: EtcdLogError.behindSnapshot(database: 1, snapshot: 50)) {
            try self.read([file], after: 1).check()
        }
        #expect(try indexes(try read([file], after: 50)) == [51])
    }

    @Test func `a snapshot of its own leaves the entries behind it`() throws {
        var file = EtcdLogFile()
        for index in 1...4 as ClosedRange<UInt64> { file.entry(index) }
        file.snapshot(2)
        file.entry(5)
        #expect(try indexes(try read([file], after: 3)) == [4, 5])
    }

    @Test func `entries that are missing are told`() throws {
        var file = EtcdLogFile()
        file.entry(7)
        file.entry(8)
        #expect(throws: EtcdLogError.gap(after: 5, next: 7)) {
            try self.read([file], after: 5).check()
        }
        file.entry(10)
        #expect(throws: EtcdLogError.gap(after: 8, next: 10)) { _ = try self.read([file], after: 6) }
    }

    @Test func `numbers that no log comes to are damage`() {
        for kind in [2, 3, 5] as [UInt8] {
            var file = EtcdLogFile()
            // Their index is the field 3, 3 and 1; the largest there is would be followed by none.
            file.add(kind: kind, field(kind == 5 ? 1 : 3, .max))
            #expect(throws: EtcdLogError.self) { _ = try self.read([file], after: 0) }
        }
    }

    @Test func `a file that does not go on from the one before is refused`() {
        var one = EtcdLogFile()
        one.entry(1, "data".bytes)
        var two = EtcdLogFile(after: one)
        two.entry(2, "data".bytes)
        var other = EtcdLogFile()
        other.entry(1, "other".bytes)
        #expect(throws: EtcdLogError.self) { _ = try self.read([other, two], after: 0) }
    }

    @Test func `the end of the last file may have been cut short anywhere`() throws {
        var file = EtcdLogFile()
        file.entry(1, "first".bytes)
        let whole = file.bytes.count
        file.entry(2, [UInt8](repeating: 0x61, count: 3_000))
        for count in stride(from: whole, to: file.bytes.count, by: 7) {
            var cut = file
            cut.cut(to: count)
            #expect(try indexes(try read([cut], after: 0)) == [1], "cut to \(count)")
            // The same as sectors that were never written.
            let sector = (count / 512 + 1) * 512
            guard sector + 512 < file.bytes.count else { continue }
            var torn = file
            torn.replace(sector..<file.bytes.count, with: 0)
            #expect(try indexes(try read([torn], after: 0)) == [1], "zeros from \(sector)")
        }
        var cut = file
        cut.cut(to: whole + 500)
        #expect(throws: EtcdLogError.self) { _ = try self.read([cut, EtcdLogFile(after: file)], after: 0) }
    }

    @Test func `a changed byte of a record is noticed, and no byte makes it trap`() throws {
        var generator = SeededGenerator(seed: SeededGenerator.seed(of: "damaged logs"))
        var file = EtcdLogFile()
        for index in 1...20 as ClosedRange<UInt64> { file.entry(index, "entry \(index)".bytes) }
        var noticed = 0
        for _ in 0..<2_000 {
            var damaged = file
            let place = Int.random(in: 0..<file.bytes.count, using: &generator)
            damaged.replace(place..<(place + 1), with: UInt8.random(in: 0...255, using: &generator))
            do {
                let found = try indexes(try read([damaged], after: 0))
                // Only the end can be taken for one that was cut short.
                #expect(found == Array(1...20).prefix(found.count).map { UInt64($0) })
            } catch {
                noticed += 1
            }
        }
        #expect(noticed > 500)
    }
}

struct EtcdRequestTests {
    /// `etcdserverpb.InternalRaftRequest` with one request.
    private func request(_ number: UInt64, _ message: [UInt8] = []) -> [UInt8] {
        field(100, field(1, 77)) + field(number, message)
    }

    private func decode(_ data: [UInt8]) throws -> EtcdRequest {
        try data.withUnsafeBytes { try EtcdRequest(entry: $0) }
    }

    @Test(
        "what changes keys, leases and alarms becomes a command",
        arguments: [
            (
                4, field(1, "k".bytes) + field(2, "v".bytes) + field(3, 9),
                .put(PutRequest(key: "k".bytes, value: "v".bytes, lease: LeaseID(rawValue: 9)))
            ),
            (7, field(1, 5), .compact(revision: 5, physical: false)),
            // etcd gives no lease less than two seconds.
            (8, field(1, 1) + field(2, 9), .leaseGrant(id: LeaseID(rawValue: 9), ttlSeconds: 2)),
            (8, field(1, 70) + field(2, 9), .leaseGrant(id: LeaseID(rawValue: 9), ttlSeconds: 70)),
            (9, field(1, 9), .leaseRevoke(LeaseID(rawValue: 9))),
            (10, field(1, 1) + field(2, 3) + field(3, 1), .alarm(AlarmCommand(action: .activate, member: 3, alarm: 1))),
            (
                11, field(1, field(1, 9) + field(2, 30)),
                .leaseCheckpoint([LeaseCheckpoint(id: LeaseID(rawValue: 9), remainingSeconds: 30)])
            ),
        ] as [(UInt64, [UInt8], Command)])
    func command(number: UInt64, message: [UInt8], command: Command) throws {
        #expect(try decode(request(number, message)) == .command(command))
    }

    @Test(
        "what changes nothing here is passed over",
        arguments: [
            [], [0x1A, 0], [0xA2, 0x51, 0],
            field(1, 5) + field(2, "PUT".bytes) + field(3, "/0/members/8e9e05c52164694d/attributes".bytes),
            field(2, field(2, "PUT".bytes) + field(3, "/0/version".bytes)),
            // Authenticate.
            field(1012, field(1, "root".bytes)), field(1102, []), field(1106, []), field(1107, []), field(1202, []),
        ] as [[UInt8]])
    func passedOver(data: [UInt8]) throws {
        #expect(try decode(data) == .nothing)
    }

    @Test(
        "a member tells its name and URLs, as etcd 3.4 and 3.5 or as later ones write it",
        arguments: [
            field(1, 5) + field(2, "PUT".bytes) + field(3, "/0/members/8e9e05c52164694d/attributes".bytes)
                + field(4, #"{"name":"m1","clientURLs":["http://a"]}"#.bytes),
            field(
                1301, field(1, 0x8e9e_05c5_2164_694d) + field(2, field(1, "m1".bytes) + field(2, "http://a".bytes))),
        ] as [[UInt8]])
    func attributes(data: [UInt8]) throws {
        #expect(
            try decode(data) == .attributes(member: 0x8e9e_05c5_2164_694d, name: "m1", clientURLs: ["http://a"]))
    }

    @Test("a request is its user's, and a member's own is nobody's")
    func identities() throws {
        let revoke = field(9, field(1, 7))
        let identity = RequestIdentity(user: AuthName("reader"), authRevision: 8)
        let header = field(100, field(1, 5) + field(2, "reader".bytes) + field(3, 8))
        let command = Command.leaseRevoke(LeaseID(rawValue: 7))
        #expect(try decode(header + revoke) == .command(command, as: identity))
        #expect(try decode(field(100, field(1, 5)) + revoke) == .command(command))
    }

    @Test(
        "what cannot be kept is refused",
        arguments: [
            (field(1000, []), .authentication), (field(1203, []), .authentication),
            (field(2, "PUT".bytes) + field(3, "/1/key".bytes), .oldKey("/1/key")),
            (field(1400, []), .unknown(field: 1400)), (field(4, []), .malformed), (field(4, [0xFF]), .malformed),
            ([0xFF, 0xFF], .malformed), (field(10, field(1, 7)), .malformed),
        ] as [([UInt8], EtcdRequestError)])
    func refused(data: [UInt8], error: EtcdRequestError) {
        #expect(throws: error) { _ = try self.decode(data) }
    }
}
