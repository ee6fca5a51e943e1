import StrakeLMDB
import StrakeMVCC
import StrakeModel
import StrakeRaft
import StrakeSeededGenerator
import StrakeTables
import Testing

/// What an audit makes of leases whose rows are not as they were written. Those of `leaseKeys` have no checksum.
struct LeaseAuditTests {
    private static let kept = LeaseID(rawValue: 7)
    private static let revoked = LeaseID(rawValue: 8)

    let machine: Machine
    private var tables: StoreTables { machine.tables }

    /// Ten keys, put twice, with one lease, another or none; then one of the leases ends.
    init() throws {
        machine = try Machine()
        var commands: [Command] = [Self.kept, Self.revoked].map { .leaseGrant(id: $0, ttlSeconds: 60) }
        for number in 0..<20 {
            var put = PutRequest(key: "key\(number % 10)".bytes, value: [])
            put.lease = [Self.kept, Self.revoked, .none][number % 3]
            commands.append(.put(put))
        }
        commands.append(.leaseRevoke(Self.revoked))
        for (number, command) in commands.enumerated() { try machine.apply(Entry(UInt64(number) + 2, command)) }
        try machine.checkpoint()
    }

    private func rows() throws -> [LeaseRow] {
        var rows: [LeaseRow] = []
        try tables.environment.read { txn throws(TableError) in
            try tables.leaseKeys.scan(from: LeaseRow(lease: .none, revision: .zero), in: txn) {
                row throws(TableError) in
                rows.append(row)
                return true
            }
        }
        return rows
    }

    private func write(_ body: (borrowing WriteTransaction) throws(TableError) -> Void) throws {
        try tables.environment.write { txn throws(TableError) in try body(txn) }
    }

    /// Whether an audit says that this row has no form, or that it does not belong there.
    private func finds(_ key: [UInt8]) throws -> Bool {
        do {
            return try machine.advanceAudit(bytesMax: .max) == .leaseKeysDiffer
        } catch MVCCError.storage(let error) {
            return error == .corruptRecord(table: "leaseKeys", key: key, reason: .badKey)
        }
    }

    @Test func `all is well before, while compaction takes rows, and after`() throws {
        #expect(try rows().count == 14)
        #expect(try machine.advanceAudit(bytesMax: .max) == .sound)
        try machine.apply(Entry(25, .compact(revision: 15, physical: false)))
        try machine.checkpoint()
        var slices = 0
        while try machine.advanceAudit(bytesMax: 1) == nil {
            slices += 1
            try machine.compact(eventsMax: 1)
        }
        #expect(machine.audits == 2 && slices > 20)
        #expect(try rows().count < 14)
        #expect(try machine.advanceAudit(bytesMax: .max) == .sound)
    }

    @Test func `a row too few is found, and one too many`() throws {
        for row in try rows() {
            try write { txn throws(TableError) in _ = try tables.leaseKeys.delete(row, in: txn) }
            #expect(try machine.advanceAudit(bytesMax: .max) == .leaseKeysDiffer, "without \(row)")
            try write { txn throws(TableError) in try tables.leaseKeys.put(row, in: txn) }
        }
        // A put without a lease.
        let stranger = LeaseRow(lease: Self.kept, revision: Revision(main: 4))
        try write { txn throws(TableError) in try tables.leaseKeys.put(stranger, in: txn) }
        #expect(try machine.advanceAudit(bytesMax: .max) == .leaseKeysDiffer)
    }

    @Test func `a flipped bit in a row is found`() throws {
        var random = SeededGenerator(seed: 5)
        let table = tables.environment.table("leaseKeys")
        for row in try rows() {
            for bit in [random.below(64), 64 + random.below(64), 128 + random.below(32)] {
                var key = row.withKey { [UInt8]($0) }
                key[bit / 8] ^= 1 << UInt8(bit % 8)
                try tables.environment.write { txn throws(LMDBError) in
                    try row.withKey { key throws(LMDBError) in _ = try txn.delete(key, in: table) }
                    try key.raw { key throws(LMDBError) in
                        try txn.put(key, UnsafeRawBufferPointer(start: nil, count: 0), in: table)
                    }
                }
                #expect(try finds(key), "bit \(bit) of \(row)")
                try tables.environment.write { txn throws(LMDBError) in
                    try key.raw { key throws(LMDBError) in _ = try txn.delete(key, in: table) }
                    try row.withKey { key throws(LMDBError) in
                        try txn.put(key, UnsafeRawBufferPointer(start: nil, count: 0), in: table)
                    }
                }
            }
        }
        #expect(try machine.advanceAudit(bytesMax: .max) == .sound)
    }

    @Test func `a lease that is not there although keys are attached to it is found`() throws {
        var records: [(key: [UInt8], value: [UInt8])] = []
        try tables.environment.read { txn throws(TableError) in
            try tables.state.scan(prefix: "lease/".bytes, in: txn) { key, value throws(TableError) in
                records.append(([UInt8](key), [UInt8](value)))
                return true
            }
        }
        #expect(records.count == 1)
        let lease = try #require(records.first)
        try write { txn throws(TableError) in _ = try tables.state.delete(lease.key, in: txn) }
        #expect(throws: MVCCError.storage(.corruptRecord(table: "state", key: lease.key, reason: .missingLease))) {
            try machine.advanceAudit(bytesMax: .max)
        }
        try write { txn throws(TableError) in try tables.state.put(lease.key, lease.value, in: txn) }
        #expect(try machine.advanceAudit(bytesMax: .max) == .sound)
    }
}
