import StrakeLMDB
import StrakeModel
import StrakeTables
import StrakeTemporaryDirectory
import Testing

struct LeaseKeyTableTests {
    let fixture: Fixture
    var leaseKeys: LeaseKeyTable { fixture.tables.leaseKeys }

    init() throws { fixture = try Fixture() }

    @Test func `a lease's revisions come in order, and no other lease's`() throws {
        let leases = [LeaseID(rawValue: -1), LeaseID(rawValue: 1), LeaseID(rawValue: 2), LeaseID(rawValue: .max)]
        let revisions = [(1, 0), (1, 1), (2, 0), (256, 0), (70_000, 3)].map { Revision(main: $0, sub: $1) }
        try fixture.environment.write { txn throws(TableError) in
            for lease in leases {
                for revision in revisions.reversed() {
                    try leaseKeys.put(LeaseRow(lease: lease, revision: revision), in: txn)
                }
                try leaseKeys.put(LeaseRow(lease: lease, revision: revisions[0]), in: txn)
            }
            let row = LeaseRow(lease: leases[1], revision: revisions[2])
            let deleted = try leaseKeys.delete(row, in: txn)
            let again = try leaseKeys.delete(row, in: txn)
            #expect(deleted && !again)
        }
        try fixture.environment.read { txn throws(TableError) in
            for (index, lease) in leases.enumerated() {
                let expected = revisions.filter { index != 1 || $0 != revisions[2] }
                let all = try leaseKeys.revisions(of: lease, limit: 100, in: txn)
                #expect(all == expected)
                let page = try leaseKeys.revisions(of: lease, after: expected[0], limit: 2, in: txn)
                #expect(page == Array(expected[1...2]))
            }
            let none = try leaseKeys.revisions(of: LeaseID(rawValue: 3), limit: 100, in: txn)
            #expect(none.isEmpty)
        }
    }

    @Test func `a row of another form is reported`() throws {
        try fixture.overwrite("leaseKeys", [0, 0, 0, 0, 0, 0, 0, 7, 1], [])
        let result = Result { () throws(TableError) in
            try fixture.environment.read { txn throws(TableError) in
                try leaseKeys.revisions(of: LeaseID(rawValue: 7), limit: 1, in: txn)
            }
        }
        #expect(result.corruption == .badKey)
    }
}

struct StateTableTests {
    let fixture: Fixture
    var state: StateTable { fixture.tables.state }

    init() throws { fixture = try Fixture() }

    func get(_ key: [UInt8]) -> Result<[UInt8]?, TableError> {
        Result { () throws(TableError) in
            try fixture.environment.read { txn throws(TableError) in try state.get(key, in: txn) }
        }
    }

    func scan(_ prefix: [UInt8], stopAfter: Int = .max) throws -> [[UInt8]] {
        try fixture.environment.read { txn throws(TableError) in
            var keys: [[UInt8]] = []
            try state.scan(prefix: prefix, in: txn) { key, value throws(TableError) in
                #expect([UInt8](value) == [UInt8](key) + [1])
                keys.append([UInt8](key))
                return keys.count < stopAfter
            }
            return keys
        }
    }

    @Test func `records are put, replaced, deleted and scanned by prefix`() throws {
        let keys: [[UInt8]] = [[1], [1, 0], [1, 1, 1], [1, 0xFF], [2], [2, 2], [0xFF, 0xFF]]
        try fixture.environment.write { txn throws(TableError) in
            for key in keys.reversed() {
                try state.put(key, [9, 9, 9], in: txn)
                try state.put(key, key + [1], in: txn)
            }
            let deleted = try state.delete([2], in: txn)
            let again = try state.delete([2], in: txn)
            #expect(deleted && !again)
        }
        #expect(try get([1, 0]).get() == [1, 0, 1])
        #expect(try get([2]).get() == nil)
        #expect(try scan([1]) == Array(keys[..<4]))
        #expect(try scan([1], stopAfter: 2) == Array(keys[..<2]))
        #expect(try scan([2]) == [[2, 2]])
        #expect(try scan([0xFF]) == [[0xFF, 0xFF]])
        #expect(try scan([3]) == [])
    }

    @Test func `empty and long values are legal, a key has 1 to 511 bytes`() throws {
        let long = [UInt8](repeating: 5, count: 100_000)
        let name = [UInt8](repeating: 6, count: 511)
        try fixture.environment.write { txn throws(TableError) in
            try state.put([1], [], in: txn)
            try state.put(name, long, in: txn)
        }
        #expect(try get([1]).get() == [])
        #expect(try get(name).get() == long)
        for key in [[], name + [6]] {
            let error = #expect(throws: TableError.self) {
                try fixture.environment.write { txn throws(TableError) in try state.put(key, [], in: txn) }
            }
            guard case .lmdb(let inner) = error else { return #expect(Bool(false), "\(String(describing: error))") }
            #expect(inner.kind == .badValueSize)
        }
    }

    @Test func `a record with any byte changed, or cut, is reported`() throws {
        try fixture.environment.write { txn throws(TableError) in try state.put([1], [2, 3, 4], in: txn) }
        let row = try #require(try fixture.rows(of: "state").first { $0.key == [1] })
        for index in row.value.indices {
            var value = row.value
            value[index] ^= 0x80
            try fixture.overwrite("state", row.key, value)
            #expect(get([1]).corruption == .checksum)
            try fixture.overwrite("state", row.key, Array(row.value[..<index]))
            #expect(get([1]).corruption == (index < 4 ? .truncated : .checksum))
        }
        try fixture.overwrite("state", [7], row.value)
        #expect(get([7]).corruption == .checksum)
    }
}

struct StoreTablesTests {
    let directory = TemporaryDirectory()

    @Test func `what was stored is there after the tables are opened again`() throws {
        do {
            let tables = try StoreTables(directory: directory.path)
            try tables.environment.write { txn throws(TableError) in try tables.state.put([1], [2], in: txn) }
        }
        let tables = try StoreTables(directory: directory.path)
        try tables.environment.read { txn throws(TableError) in
            let value = try tables.state.get([1], in: txn)
            #expect(value == [2])
        }
    }

    @Test func `a newer format and another program's are refused`() throws {
        let format = [UInt8]("format".utf8)
        let version = StoreTables.formatVersion
        for (record, expected) in [
            (mark("strake", version + 1), TableError.newerFormat(found: version + 1, supported: version)),
            (mark("strake", 0), .unsupportedFormat(found: mark("strake", 0))),
            (mark("stroke", version), .unsupportedFormat(found: mark("stroke", version))),
            ([], .unsupportedFormat(found: [])),
        ] as [([UInt8], TableError)] {
            do {
                let environment = try Environment(directory: directory.path, tables: ["state"])
                // Through a table of the same form, for the record's checksum.
                try environment.write { txn throws(TableError) in
                    try StateTable(environment.table("state")).put(format, record, in: txn)
                }
            }
            #expect(throws: expected) { try StoreTables(directory: directory.path) }
        }
    }

    @Test func `the format before is read, and is the newer one from then on`() throws {
        do {
            let tables = try StoreTables(directory: directory.path)
            try tables.environment.write { txn throws(TableError) in
                try tables.state.put([UInt8]("format".utf8), mark("strake", 1), in: txn)
                try tables.state.put([1], [2], in: txn)
            }
        }
        for _ in 0..<2 {
            let tables = try StoreTables(directory: directory.path)
            try tables.environment.read { txn throws(TableError) in
                let format = try tables.state.get([UInt8]("format".utf8), in: txn)
                let value = try tables.state.get([1], in: txn)
                #expect(format == mark("strake", 2) && value == [2])
            }
        }
    }

    @Test func `a file with other tables or without a format record is refused and left as it was`() throws {
        do {
            let environment = try Environment(directory: directory.path, tables: ["somebody's"])
            _ = environment
        }
        #expect(throws: TableError.unsupportedFormat(found: [])) { try StoreTables(directory: directory.path) }
        let environment = try Environment(directory: directory.path, tables: [])
        try environment.read { txn throws(LMDBError) in
            let names = try txn.statistics(of: .names).entries
            #expect(names == 1)
        }
    }

    private func mark(_ name: String, _ version: UInt32) -> [UInt8] {
        [UInt8](name.utf8) + withUnsafeBytes(of: version.littleEndian) { [UInt8]($0) }
    }
}
