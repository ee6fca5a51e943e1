import StrakeEtcdWire
import StrakeModel
import Testing

@Suite struct ElectionMessageTests {
    /// `name` "el", key "el/a", revision 300, lease 10.
    private static let leaderKey: [UInt8] = [
        0x0a, 2, 0x65, 0x6c, 0x12, 4, 0x65, 0x6c, 0x2f, 0x61, 0x18, 0xac, 0x02, 0x20, 10,
    ]

    private func read<Message>(
        _ bytes: [UInt8], _ message: (UnsafeRawBufferPointer) throws(WireError) -> Message
    ) throws -> Message {
        try bytes.withUnsafeBytes { try message($0) }
    }

    @Test func `requests are read field by field`() throws {
        let lock = try read([0x0a, 1, 0x6d, 0x10, 11], LockRequest.init(protobuf:))
        #expect(lock.name == Array("m".utf8) && lock.lease == LeaseID(rawValue: 11))
        #expect(try read([0x0a, 1, 0x6d], UnlockRequest.init(protobuf:)).key == Array("m".utf8))
        let campaign = try read([0x0a, 1, 0x65, 0x10, 1, 0x1a, 2, 0x70, 0x31], CampaignRequest.init(protobuf:))
        #expect(campaign.name == Array("e".utf8) && campaign.lease == LeaseID(rawValue: 1))
        #expect(campaign.value == Array("p1".utf8))
        #expect(try read([0x0a, 1, 0x65], ElectionRequest.init(protobuf:)).name == Array("e".utf8))
    }

    @Test func `a leader that is not named is missing, and an empty one is not`() throws {
        let proclaim = try read([0x0a, 15] + Self.leaderKey + [0x12, 1, 0x76], LeaderKeyRequest.init(protobuf:))
        let leader = LeaderKey(
            name: Array("el".utf8), key: Array("el/a".utf8), revision: 300, lease: LeaseID(rawValue: 10))
        #expect(proclaim.leader == leader && proclaim.value == Array("v".utf8))
        #expect(try read([], LeaderKeyRequest.init(protobuf:)).leader == nil)
        #expect(try read([0x0a, 0], LeaderKeyRequest.init(protobuf:)).leader == LeaderKey())
        #expect(throws: WireError.malformed(.truncated)) {
            try read([0x0a, 9, 0x0a], LeaderKeyRequest.init(protobuf:))
        }
    }

    @Test func `answers are written as the contract has them`() {
        let header = ResponseHeader(revision: 3)
        #expect(
            Response(header, LockResponse(key: Array("m/b".utf8))).encoded()
                == [0x0a, 2, 0x18, 3, 0x12, 3, 0x6d, 0x2f, 0x62])
        let leader = LeaderKey(
            name: Array("el".utf8), key: Array("el/a".utf8), revision: 300, lease: LeaseID(rawValue: 10))
        #expect(
            Response(header, CampaignResponse(leader: leader)).encoded()
                == [0x0a, 2, 0x18, 3, 0x12, 15] + Self.leaderKey)
        let keyValue = KeyValue(
            key: [0x6b], createRevision: 2, modRevision: 3, version: 1, value: [0x76])
        #expect(
            Response(header, LeaderResponse(keyValue: keyValue)).encoded()
                == [0x0a, 2, 0x18, 3, 0x12, 12, 0x0a, 1, 0x6b, 0x10, 2, 0x18, 3, 0x20, 1, 0x2a, 1, 0x76])
    }
}
