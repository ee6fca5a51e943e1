import StrakeLeases
import StrakeModel
import StrakeSeededGenerator
import Testing

@Suite struct LessorTests {
    private func id(_ number: Int64) -> LeaseID { LeaseID(rawValue: number) }

    @Test(
        "the shortest TTL is one and a half election timeouts in whole seconds",
        arguments: [(10, 100, 2), (1, 1, 1), (100, 10, 2), (10, 200, 3), (10, 201, 4), (500, 100, 75)])
    func minimum(electionTicks: Int, tickMilliseconds: Int, seconds: Int64) {
        #expect(LeaseTTL.minimum(electionTicks: electionTicks, tickMilliseconds: tickMilliseconds) == seconds)
    }

    @Test(
        "a TTL asked for is raised to the shortest and refused above the longest",
        arguments: [
            (100, 100), (2, 2), (1, 2), (0, 2), (-1, 2), (Int64.min, 2), (9_000_000_000, 9_000_000_000),
            (9_000_000_001, nil), (Int64.max, nil),
        ] as [(Int64, Int64?)])
    func granted(requested: Int64, granted: Int64?) {
        let result = Result { () throws(StoreError) in try LeaseTTL.granted(requested: requested, minimum: 2) }
        #expect(result == granted.map { .success($0) } ?? .failure(.leaseTTLTooLarge))
    }

    @Test func `a lease is granted once and revoked once`() throws {
        var lessor = Lessor()
        try lessor.grant(id(10), ttl: 100)
        #expect(throws: StoreError.leaseExists) { try lessor.grant(id(10), ttl: 5) }
        #expect(lessor.lease(id(10)) == Lease(id: id(10), ttl: 100))
        #expect(lessor.lease(id(10))?.remaining == 100)
        try lessor.revoke(id(10))
        #expect(!lessor.contains(id(10)))
        #expect(throws: StoreError.leaseNotFound) { try lessor.revoke(id(10)) }
        try lessor.grant(id(10), ttl: 7)
        #expect(lessor.lease(id(10))?.ttl == 7)
    }

    @Test func `no lease is called zero`() {
        var lessor = Lessor()
        #expect(throws: StoreError.leaseNotFound) { try lessor.grant(.none, ttl: 5) }
        #expect(throws: StoreError.leaseNotFound) { try lessor.revoke(.none) }
        #expect(throws: StoreError.leaseTTLTooLarge) { try lessor.grant(id(1), ttl: LeaseTTL.max + 1) }
        #expect(lessor.count == 0)
    }

    @Test func `leases are listed by id`() throws {
        var lessor = Lessor()
        for number in [5, -3, 12, 1] as [Int64] { try lessor.grant(id(number), ttl: 9) }
        #expect(lessor.all.map(\.id.rawValue) == [-3, 1, 5, 12])
    }

    @Test func `a checkpoint stays within the TTL and passes over leases that are gone`() throws {
        var lessor = Lessor()
        for number in 1...3 as ClosedRange<Int64> { try lessor.grant(id(number), ttl: 60) }
        lessor.checkpoint([
            LeaseCheckpoint(id: id(1), remainingSeconds: 20), LeaseCheckpoint(id: id(2), remainingSeconds: -4),
            LeaseCheckpoint(id: id(3), remainingSeconds: 61), LeaseCheckpoint(id: id(4), remainingSeconds: 5),
        ])
        #expect(lessor.all.map(\.remaining) == [20, 0, 60])
    }

    @Test func `the changes since the last call are told once, each lease in its last form`() throws {
        var lessor = Lessor()
        try lessor.grant(id(2), ttl: 60)
        try lessor.grant(id(1), ttl: 50)
        try lessor.grant(id(3), ttl: 40)
        lessor.checkpoint([LeaseCheckpoint(id: id(2), remainingSeconds: 30)])
        try lessor.revoke(id(3))
        #expect(
            lessor.takeChanges() == [
                .changed(Lease(id: id(1), ttl: 50)), .changed(Lease(id: id(2), ttl: 60, remaining: 30)),
                .removed(id(3)),
            ])
        #expect(lessor.takeChanges() == [])
        // Says nothing new.
        lessor.checkpoint([LeaseCheckpoint(id: id(2), remainingSeconds: 30)])
        #expect(lessor.takeChanges() == [])
        try lessor.revoke(id(1))
        #expect(lessor.takeChanges() == [.removed(id(1))])
    }

    @Test func `a lessor restored from the records of its changes is the same`() throws {
        var random = SeededGenerator(seed: 1)
        var lessor = Lessor()
        var records: [[UInt8]: [UInt8]] = [:]
        for _ in 0..<2_000 {
            let chosen = id(Int64.random(in: -20...20, using: &random))
            switch Int.random(in: 0..<4, using: &random) {
            case 0, 1: try? lessor.grant(chosen, ttl: Int64.random(in: 1...100, using: &random))
            case 2: try? lessor.revoke(chosen)
            default:
                lessor.checkpoint([
                    LeaseCheckpoint(id: chosen, remainingSeconds: Int64.random(in: 0...100, using: &random))
                ])
            }
            guard Int.random(in: 0..<10, using: &random) == 0 else { continue }
            for change in lessor.takeChanges() {
                switch change {
                case .changed(let lease): records[LeaseRecord.key(lease.id)] = LeaseRecord.encode(lease)
                case .removed(let id): records[LeaseRecord.key(id)] = nil
                }
            }
            let restored = Lessor(restoring: try records.values.map { try LeaseRecord.decode($0) })
            #expect(restored.all == lessor.all)
        }
    }

    // MARK: Records

    @Test func `a record has fixed bytes`() throws {
        let lease = Lease(id: id(-2), ttl: 0x0102, remaining: 3)
        let bytes: [UInt8] =
            [1] + Array(repeating: 255, count: 7) + [254] + [0, 0, 0, 0, 0, 0, 1, 2] + [0, 0, 0, 0, 0, 0, 0, 3]
        #expect(LeaseRecord.encode(lease) == bytes)
        #expect(try LeaseRecord.decode(bytes) == lease)
    }

    @Test func `keys of records sort as the ids`() {
        let ids: [Int64] = [.min, -7, -1, 1, 2, 255, 256, .max]
        let keys = ids.map { LeaseRecord.key(id($0)) }
        #expect(keys.sorted { $0.precedes($1) } == keys)
    }

    @Test(
        "a record that no release wrote is refused",
        arguments: [
            ([], .wrongLength(0)),
            ([2], .unknownVersion(2)),
            ([1, 0], .wrongLength(2)),
            (record(id: 1, ttl: 5, remaining: 6), .invalidFields),
            (record(id: 1, ttl: 0, remaining: 0), .invalidFields),
            (record(id: 0, ttl: 5, remaining: 5), .invalidFields),
            (record(id: 1, ttl: 5, remaining: 255), .invalidFields),
        ] as [([UInt8], LeaseRecord.Failure)])
    func refused(bytes: [UInt8], failure: LeaseRecord.Failure) {
        #expect(throws: failure) { try LeaseRecord.decode(bytes) }
    }

    private static func record(id: UInt8, ttl: UInt8, remaining: UInt8) -> [UInt8] {
        let zeros: [UInt8] = Array(repeating: 0, count: 7)
        return [1] + zeros + [id] + zeros + [ttl] + zeros + [remaining]
    }
}
