internal import StrakeModel
internal import StrakeSeededGenerator
import Testing

@Suite struct CommandEncodingTests {
    /// Version, kind and the proposal 0x0102030405060708.
    private static func header(_ kind: UInt8) -> [UInt8] { [1, kind, 8, 7, 6, 5, 4, 3, 2, 1] }

    private static let table: [(Command, [UInt8])] = [
        (
            .put(flagged(PutRequest(key: [97], value: [98, 99], lease: LeaseID(rawValue: 64)))),
            header(1) + [7, 1, 97, 2, 98, 99, 0x80, 1]
        ),
        (.put(PutRequest(key: [97], value: [])), header(1) + [0, 1, 97, 0, 0]),
        (.deleteRange(DeleteRangeRequest(range: .key([97]))), header(2) + [0, 0, 1, 97]),
        (
            .deleteRange(DeleteRangeRequest(range: KeyRange(lower: [97], upper: .before([98])))),
            header(2) + [0, 1, 1, 97, 1, 98]
        ),
        (.deleteRange(DeleteRangeRequest(range: .all)), header(2) + [0, 2, 1, 0]),
        (
            .txn(
                TxnRequest(
                    compare: [
                        Compare(range: .key([97]), result: .greater, target: .version(-1)),
                        Compare(range: .key([98]), result: .notEqual, target: .value([1])),
                    ],
                    success: [.put(PutRequest(key: [99], value: [])), .range(RangeRequest(range: .key([100])))],
                    failure: [.txn(TxnRequest()), .deleteRange(DeleteRangeRequest(range: .key([101])))])),
            header(3)
                + [2, 1, 0, 0, 1, 97, 1, 3, 3, 0, 1, 98, 1, 1]
                + [2, 1, 0, 1, 99, 0, 0, 4, 0, 0, 1, 100, 0, 0, 0, 0, 0, 0, 0, 0]
                + [2, 3, 0, 0, 0, 2, 0, 0, 1, 101]
        ),
        (.compact(revision: 300, physical: true), header(5) + [1, 0xd8, 4]),
        (.leaseGrant(id: LeaseID(rawValue: 5), ttlSeconds: -1), header(6) + [10, 1]),
        (.leaseRevoke(LeaseID(rawValue: .min)), header(7) + [UInt8](repeating: 0xff, count: 9) + [1]),
        (.leaseExpire(ids: [LeaseID(rawValue: 1), LeaseID(rawValue: 2)], term: 128), header(8) + [0x80, 1, 2, 2, 4]),
        (.leaseCheckpoint([LeaseCheckpoint(id: LeaseID(rawValue: 1), remainingSeconds: 30)]), header(9) + [1, 2, 60]),
        (.alarm(AlarmCommand(action: .deactivate, member: 200, alarm: 1)), header(10) + [2, 0xc8, 1, 2]),
        (
            .setMember(MemberAttributes(id: 1, name: "m", peerURLs: ["p"], clientURLs: ["", "c"])),
            header(11) + [1, 1, 109, 1, 1, 112, 2, 0, 1, 99]
        ),
    ]

    private static func flagged(_ put: PutRequest) -> PutRequest {
        var put = put
        put.wantsPrevious = true
        put.ignoreValue = true
        put.ignoreLease = true
        return put
    }

    @Test("each kind of command has its bytes", arguments: table)
    func bytes(command: Command, bytes: [UInt8]) throws {
        let proposed = ProposedCommand(id: ProposalID(rawValue: 0x0102_0304_0506_0708), command: command)
        #expect(proposed.encoded() == bytes)
        #expect(try ProposedCommand(decoding: bytes) == proposed)
        #expect(bytes.withUnsafeBytes { ProposedCommand.proposalID(of: $0) } == proposed.id)
    }

    @Test(
        "an entry that this release cannot read names the reason",
        arguments: [
            ([], .malformed),
            ([0], .unknownVersion(0)),
            ([2], .unknownVersion(2)),
            ([2] + header(1)[1...] + [0, 1, 97, 0, 0], .unknownVersion(2)),
            (header(24), .unknownKind(24)),
            (header(0x80 | 24), .unknownKind(0x80 | 24)),
            (header(0x81), .malformed),  // It says that somebody asks, and not who.
            (header(15) + [1, 97, 2], .malformed),  // Neither with a password nor without one.
            (header(22) + [1, 97, 0x80, 0x80, 0x80, 0x80, 0x20, 0, 0], .malformed),  // A kind above 32 bits.
            (header(0), .unknownKind(0)),
            (header(4), .unknownKind(4)),  // A read is an operation of a transaction, not a command.
            (Array(header(1).dropLast()), .malformed),
            (header(1), .malformed),
            (header(1) + [8, 1, 97, 0, 0], .malformed),  // A flag that put does not have.
            (header(1) + [0, 1, 97, 0, 0, 0], .malformed),  // A byte after the end.
            (header(1) + [0, 0x81, 0, 97, 0, 0], .malformed),  // A varint longer than needed.
            (header(1) + [0, 1, 97, 0] + [UInt8](repeating: 0xff, count: 9) + [2], .malformed),  // More than 64 bits.
            (header(1) + [0, 1, 97, 0] + [UInt8](repeating: 0xff, count: 11), .malformed),
            (header(2) + [0, 3, 1, 97], .malformed),  // No such form of a range.
            (header(3) + [0, 1, 5, 0, 0, 1, 97, 0], .malformed),  // No such operation.
            (header(3) + [1, 4, 0, 0, 1, 97, 0, 0, 0], .malformed),  // No such result of a comparison.
            (header(3) + [1, 0, 5, 0, 1, 97, 0, 0, 0], .malformed),  // No such target.
            (header(8) + [1, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], .malformed),  // Too high a count.
            (header(10) + [3, 0, 0], .malformed),  // No such action.
            (header(10) + [0, 0, 0x80, 0x80, 0x80, 0x80, 0x20], .malformed),  // An alarm above 32 bits.
            (header(11) + [1, 1, 0xff, 0, 0], .malformed),  // A name that is not UTF-8.
        ] as [([UInt8], CommandDecodingError)])
    func unreadable(bytes: [UInt8], error: CommandDecodingError) {
        #expect(throws: error) { try ProposedCommand(decoding: bytes) }
    }

    @Test func `random commands come back as they were`() throws {
        var random = SeededGenerator(seed: 1)
        for _ in 0..<20_000 {
            let proposal = random.proposal()
            #expect(try ProposedCommand(decoding: proposal.encoded()) == proposal)
        }
    }

    @Test func `damaged bytes are refused or are the one encoding of what they say`() throws {
        var random = SeededGenerator(seed: 2)
        var refused = 0
        for _ in 0..<50_000 {
            var bytes = random.proposal().encoded()
            switch random.below(3) {
            case 0: bytes.removeLast(random.below(bytes.count))
            case 1: bytes[random.below(bytes.count)] = UInt8.random(in: 0...255, using: &random)
            default: bytes.insert(UInt8.random(in: 0...255, using: &random), at: random.below(bytes.count))
            }
            do {
                #expect(try ProposedCommand(decoding: bytes).encoded() == bytes)
            } catch {
                refused += 1
            }
        }
        #expect(refused > 10_000)
    }

    @Test func `a transaction nested as deep as validation allows comes back and a deeper one is refused`() throws {
        func nested(_ depth: Int) -> TxnRequest {
            (1..<depth).reduce(TxnRequest()) { inner, _ in TxnRequest(success: [.txn(inner)]) }
        }
        let deepest = nested(TxnRequest.depthMax)
        try deepest.validate(maxOperations: 1000)
        let proposal = ProposedCommand(id: ProposalID(rawValue: 1), command: .txn(deepest))
        #expect(try ProposedCommand(decoding: proposal.encoded()) == proposal)

        let deeper = nested(TxnRequest.depthMax + 1)
        #expect(throws: StoreError.tooManyOperations) { try deeper.validate(maxOperations: 1000) }
        let entry = ProposedCommand(id: ProposalID(rawValue: 1), command: .txn(deeper)).encoded()
        #expect(throws: CommandDecodingError.malformed) { try ProposedCommand(decoding: entry) }
    }
}
