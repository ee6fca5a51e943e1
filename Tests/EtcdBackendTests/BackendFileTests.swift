import StrakeAuth
import StrakeBolt
import StrakeChecksum
import StrakeEtcdBackend
import StrakeLeases
import StrakeMVCC
import StrakeModel
import StrakeRaft
import StrakeSeededGenerator
import StrakeStateMachine
import StrakeTables
import Testing

@Suite struct BackendFileTests {
    /// A protobuf message of numbers and byte strings, fields in order, zeros and empty ones left out.
    private func message(_ fields: [(number: UInt8, value: Int64?, bytes: [UInt8])]) -> [UInt8] {
        func varint(_ value: UInt64) -> [UInt8] {
            value < 128 ? [UInt8(value)] : [UInt8(value & 127) | 128] + varint(value >> 7)
        }
        return fields.flatMap { field -> [UInt8] in
            if let value = field.value {
                return value == 0 ? [] : [field.number << 3] + varint(UInt64(bitPattern: value))
            }
            return field.bytes.isEmpty ? [] : [field.number << 3 | 2] + varint(UInt64(field.bytes.count)) + field.bytes
        }
    }

    private func bigEndian(_ value: Int64) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }

    /// What etcd keeps of an event.
    private func entry(_ event: EventRecord) -> (key: [UInt8], value: [UInt8]) {
        let header = event.header
        var key = bigEndian(header.revision.main) + [95] + bigEndian(Int64(header.revision.sub))
        if header.isTombstone {
            key.append(116)
            return (key, message([(1, nil, event.key)]))
        }
        return (
            key,
            message([
                (1, nil, event.key), (2, header.createRevision, []), (3, header.revision.main, []),
                (4, header.version, []), (5, nil, event.value), (6, header.lease.rawValue, []),
            ])
        )
    }

    private func read(_ file: [UInt8]) throws -> [String: [(key: [UInt8], value: [UInt8])]] {
        let reader = try BoltReader(fileBytes: UInt64(file.count)) { offset, count in
            Array(file[Int(offset)..<Int(offset) + count])
        }
        var buckets: [String: [(key: [UInt8], value: [UInt8])]] = [:]
        for name in try names(reader) {
            var entries: [(key: [UInt8], value: [UInt8])] = []
            try reader.forEach(in: try #require(try reader.bucket(name.bytes))) { entry throws(BoltError) in
                entries.append((Array(entry.key), Array(entry.value)))
                return true
            }
            buckets[name] = entries
        }
        return buckets
    }

    private func names(_ reader: BoltReader) throws -> [String] {
        var names: [String] = []
        try reader.forEach(in: reader.root) { entry throws(BoltError) in
            names.append(String(decoding: entry.key, as: UTF8.self))
            return true
        }
        return names
    }

    private func fill(_ machine: Machine, _ random: inout SeededGenerator, _ count: Int) throws {
        for _ in 0..<count {
            let key = "key\(random.below(40))".bytes
            switch random.below(10) {
            case 0: try machine.apply(.deleteRange(DeleteRangeRequest(range: .key(key))))
            case 1:
                var txn = TxnRequest()
                txn.success = [
                    .put(PutRequest(key: key, value: random.bytes(upTo: 9))),
                    .put(PutRequest(key: "t".bytes, value: [])),
                ]
                try machine.apply(.txn(txn))
            default:
                var put = PutRequest(key: key, value: random.bytes(upTo: random.chance(5) ? 9_000 : 50))
                if random.chance(20) { put.lease = LeaseID(rawValue: 7) }
                try machine.apply(.put(put))
            }
        }
    }

    /// Reads the file to its end, with `body` called between two pieces.
    private func read(_ file: inout BackendFile, _ body: () throws -> Void) throws -> [UInt8] {
        while try !file.count() { try body() }
        var pieces: [[UInt8]] = []
        while let piece = try file.next(bytesMax: 4_000) {
            pieces.append(piece)
            try body()
        }
        let last = pieces.popLast()
        let checksum = try #require(last)
        let bytes = Array(pieces.joined())
        #expect(bytes.count == Int(file.fileBytes))
        #expect(pieces.dropLast().allSatisfy { $0.count == 4_000 })
        var expected = SHA256()
        expected.add(bytes)
        #expect(checksum == expected.value)
        return bytes
    }

    @Test func `the file is the state at one entry, whatever happens while it is read`() throws {
        var random = SeededGenerator(seed: SeededGenerator.seed(of: "snapshots beside compactions"))
        var removed = 0
        for round in 0..<6 {
            let machine = try Machine()
            try machine.apply(.leaseGrant(id: LeaseID(rawValue: 7), ttlSeconds: 100))
            try fill(machine, &random, 800)
            if round > 0 {
                let revision = Int64.random(in: 1...machine.revision, using: &random)
                try machine.apply(.compact(revision: revision, physical: false))
            }
            if round % 2 == 0 { try machine.checkpoint() }
            let backup = machine.backup()
            var history = backup.history
            var events: [EventRecord] = []
            while !history.isAtEnd { events += try history.next(byteBudget: 1 << 20) }

            var file = BackendFile(backup)
            let bytes = try read(&file) {
                try fill(machine, &random, 3)
                guard random.chance(10) else { return }
                try machine.apply(.compact(revision: machine.revision, physical: true))
                try machine.checkpoint()
                removed += try machine.compact()
            }
            let entries = try #require(try read(bytes)["key"])
            let expected = events.map(entry)
            #expect(entries.map(\.key) == expected.map(\.key))
            #expect(entries.map(\.value) == expected.map(\.value))
        }
        #expect(removed > 100, "compaction had nothing to do")
    }

    @Test func `every bucket of etcd's is there`() throws {
        let machine = try Machine()
        try machine.apply(.leaseGrant(id: LeaseID(rawValue: 9), ttlSeconds: 100))
        try machine.apply(.leaseGrant(id: LeaseID(rawValue: 8), ttlSeconds: 100))
        try machine.apply(.leaseGrant(id: LeaseID(rawValue: -1), ttlSeconds: 60))
        try machine.apply(.leaseCheckpoint([LeaseCheckpoint(id: LeaseID(rawValue: 8), remainingSeconds: 40)]))
        try machine.apply(.alarm(AlarmCommand(action: .activate, member: 0xA1, alarm: AlarmMember.noSpace)))
        let empty = machine.applied
        var file = BackendFile(machine.backup())
        let buckets = try read(try read(&file) {})
        #expect(
            buckets.keys.sorted() == [
                "alarm", "auth", "authRoles", "authUsers", "cluster", "key", "lease", "members", "members_removed",
                "meta",
            ])
        for name in ["auth", "authRoles", "authUsers", "cluster", "key", "members_removed"] {
            #expect(buckets[name]!.isEmpty, "\(name)")
        }
        #expect(buckets["alarm"]!.map(\.key) == [message([(1, 0xA1, []), (2, 1, [])])])
        #expect(buckets["lease"]!.map(\.key) == [8, 9, -1].map(bigEndian))
        #expect(
            buckets["lease"]!.map(\.value) == [
                message([(1, 8, []), (2, 100, []), (3, 40, [])]), message([(1, 9, []), (2, 100, [])]),
                message([(1, -1, []), (2, 60, [])]),
            ])
        let members = buckets["members"]!.map {
            (String(decoding: $0.key, as: UTF8.self), String(decoding: $0.value, as: UTF8.self))
        }
        #expect(members.map(\.0) == ["20", "a1"])
        #expect(members[0].1 == #"{"id":32,"peerURLs":["http://127.0.0.1:3","http://127.0.0.1:4"]}"#)
        #expect(
            members[1].1
                == #"{"id":161,"peerURLs":["http://127.0.0.1:1"],"name":"m\"1\"","clientURLs":["http://127.0.0.1:2"]}"#)
        let meta = buckets["meta"]!.map { (String(decoding: $0.key, as: UTF8.self), $0.value) }
        #expect(meta.map(\.0) == ["confState", "consistent_index", "term"])
        #expect(meta[0].1 == #"{"voters":[32,161],"auto_leave":false}"#.bytes)
        #expect(meta[1].1 == bigEndian(Int64(empty.index.rawValue)))
        #expect(meta[2].1 == bigEndian(3))
    }

    @Test func `the compact revision is written down`() throws {
        let machine = try Machine()
        for number in 0..<5 as Range<UInt8> { try machine.apply(.put(PutRequest(key: "k".bytes, value: [number]))) }
        try machine.apply(.compact(revision: 4, physical: false))
        var file = BackendFile(machine.backup())
        let buckets = try read(try read(&file) {})
        let meta = Dictionary(
            uniqueKeysWithValues: buckets["meta"]!.map { (String(decoding: $0.key, as: UTF8.self), $0.value) })
        let expected = bigEndian(4) + [95] + bigEndian(0)
        #expect(meta["scheduledCompactRev"] == expected)
        #expect(meta["finishedCompactRev"] == expected)
        #expect(buckets["key"]!.map(\.key) == [4, 5, 6].map { bigEndian($0) + [95] + bigEndian(0) })
    }

    private func contents(_ file: [UInt8]) throws -> BackendContents {
        try BackendContents(
            try BoltReader(fileBytes: UInt64(file.count)) { offset, count in
                Array(file[Int(offset)..<Int(offset) + count])
            })
    }

    private func setUp(_ machine: Machine) throws {
        let (user, role) = (AuthName("u"), AuthName("r"))
        try machine.apply(.auth(.roleAdd(role)))
        let permission = Permission(kind: Permission.readWrite, key: "a".bytes, rangeEnd: "b".bytes)
        try machine.apply(.auth(.roleGrantPermission(role, permission)))
        try machine.apply(.auth(.userAdd(user, hash: "hash".bytes)))
        try machine.apply(.auth(.userGrantRole(user, role: .root)))
        try machine.apply(.auth(.userGrantRole(user, role: role)))
        try machine.apply(.auth(.userAdd(AuthName("c"), hash: nil)))
    }

    @Test func `users and roles stand in etcd's buckets`() throws {
        let machine = try Machine()
        try setUp(machine)
        try machine.apply(.auth(.userAdd(.root, hash: "secret".bytes)))
        try machine.apply(.auth(.userGrantRole(.root, role: .root)))
        try machine.apply(.auth(.enable))
        var file = BackendFile(machine.backup())
        let bytes = try read(&file) {}
        let buckets = try read(bytes)
        func text(_ bucket: String) -> [String] { buckets[bucket]!.map { String(decoding: $0.key, as: UTF8.self) } }
        #expect(text("auth") == ["authEnabled", "authRevision"])
        #expect(buckets["auth"]!.map(\.value) == [[1], bigEndian(9)])
        #expect(text("authUsers") == ["c", "root", "u"] && text("authRoles") == ["r"])
        // Options are there even when they say nothing.
        let users = buckets["authUsers"]!.map(\.value)
        #expect(users[0] == message([(1, nil, "c".bytes), (4, nil, [8, 1])]))
        #expect(
            users[2] == message([
                (1, nil, "u".bytes), (2, nil, "hash".bytes), (3, nil, "r".bytes), (3, nil, "root".bytes),
            ]) + [0x22, 0])
        let permission = message([(1, 2, []), (2, nil, "a".bytes), (3, nil, "b".bytes)])
        #expect(buckets["authRoles"]!.map(\.value) == [message([(1, nil, "r".bytes), (2, nil, permission)])])
        let found = try contents(bytes).auth
        #expect(found.isEnabled && found.revision == 9 && found.digest == machine.backup().auth.digest)
    }

    private func wholeFile(_ random: inout SeededGenerator) throws -> (bytes: [UInt8], backup: StateBackup) {
        let machine = try Machine()
        try machine.apply(.leaseGrant(id: LeaseID(rawValue: 7), ttlSeconds: 100))
        try machine.apply(.leaseGrant(id: LeaseID(rawValue: 8), ttlSeconds: 100))
        try machine.apply(.leaseCheckpoint([LeaseCheckpoint(id: LeaseID(rawValue: 8), remainingSeconds: 40)]))
        try fill(machine, &random, 300)
        try machine.apply(.compact(revision: 120, physical: false))
        try setUp(machine)
        // Last: it refuses what takes room.
        try machine.apply(.alarm(AlarmCommand(action: .activate, member: 0xA1, alarm: AlarmMember.noSpace)))
        let backup = machine.backup()
        var file = BackendFile(backup)
        return (try read(&file) {}, backup)
    }

    @Test func `a file is read as what it was written of`() throws {
        var random = SeededGenerator(seed: SeededGenerator.seed(of: "files read back"))
        let (bytes, backup) = try wholeFile(&random)
        let found = try contents(bytes)
        #expect(found.leases == backup.leases)
        #expect(found.alarms == backup.alarms)
        #expect(found.compactRevision == 120 && found.compacted == 120)
        #expect(found.auth.digest == backup.auth.digest && !found.auth.isPristine)
        #expect(found.auth.allUsers == backup.auth.allUsers && found.auth.allRoles == backup.auth.allRoles)
        var history = backup.history
        var expected: [ImportedEvent] = []
        while !history.isAtEnd {
            for event in try history.next(byteBudget: 1 << 20) {
                var item = KeyValue(key: event.key)
                if !event.header.isTombstone {
                    item.createRevision = event.header.createRevision
                    item.modRevision = event.header.revision.main
                    item.version = event.header.version
                    item.value = event.value
                    item.lease = event.header.lease
                }
                expected.append(
                    ImportedEvent(
                        revision: event.header.revision, isTombstone: event.header.isTombstone, keyValue: item))
            }
        }
        var events: [ImportedEvent] = []
        try found.forEachEvent {
            events.append($0)
            return true
        }
        #expect(events == expected)
    }

    @Test func `a damaged file is an error, or says something else`() throws {
        var random = SeededGenerator(seed: SeededGenerator.seed(of: "damaged backend files"))
        let (bytes, _) = try wholeFile(&random)
        var refused = 0
        for _ in 0..<2_000 {
            var damaged = bytes
            for _ in 0...random.below(20) {
                damaged[2 * 4096 + random.below(damaged.count - 2 * 4096)] = UInt8.random(in: 0...255, using: &random)
            }
            do {
                let found = try contents(damaged)
                #expect(found.leases.allSatisfy { (1...LeaseTTL.max).contains($0.ttl) })
                try found.forEachEvent { event in
                    let item = event.keyValue
                    #expect(event.revision.main > 0 && event.revision.main < BackendContents.revisionMax)
                    #expect(
                        event.isTombstone || item.key.isEmpty
                            || item.modRevision == event.revision.main && (1...item.modRevision).contains(item.version)
                                && (1...item.modRevision).contains(item.createRevision)
                    )
                    return true
                }
            } catch is BackendError {
                refused += 1
            } catch is BoltError {
                refused += 1
            }
        }
        #expect(refused > 500, "only \(refused) of 2,000 damaged files were refused")
    }
}
