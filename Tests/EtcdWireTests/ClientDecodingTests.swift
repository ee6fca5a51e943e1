internal import StrakeEtcdWire
internal import StrakeModel
internal import Testing

/// A client reads what a server writes, whole.
@Suite struct ClientDecodingTests {
    private let header = ResponseHeader(clusterID: .max, memberID: 1 << 63, revision: 77, raftTerm: 3)
    private let pair = KeyValue(
        key: [1], createRevision: 2, modRevision: 9, version: 1, value: [5, 6], lease: LeaseID(rawValue: -4))
    private let member = ClusterMember(
        id: 8, name: "m", peerURLs: ["http://a:1", "http://b:1"], clientURLs: ["http://a:2"], isLearner: true)

    private func expectSame<Body: ReadableResponse & Equatable>(_ body: Body) throws {
        let bytes = Response(header, body).encoded()
        let read = try bytes.withUnsafeBytes { try Body.response(protobuf: $0) }
        #expect(read.header == header && read.body == body)
        // Cut anywhere, it is an error or a shorter answer; never a trap.
        for count in bytes.indices {
            _ = try? Array(bytes[..<count]).withUnsafeBytes { try Body.response(protobuf: $0) }
        }
    }

    @Test func `answers about keys`() throws {
        let range = RangeResponse(keyValues: [pair, KeyValue(key: [2])], more: true, count: 5)
        try expectSame(range)
        try expectSame(PutResponse(previous: pair))
        try expectSame(DeleteRangeResponse(deleted: 2, previous: [pair]))
        let inner = TxnResponse(succeeded: true, responses: [.put(PutResponse()), .deleteRange(DeleteRangeResponse())])
        try expectSame(
            TxnResponse(
                succeeded: true, responses: [.range(range), .put(PutResponse(previous: pair)), .txn(inner)],
                revision: 77))
    }

    @Test func `answers about leases`() throws {
        try expectSame(LeaseGrantResponse(id: LeaseID(rawValue: -4), ttlSeconds: 60))
        try expectSame(
            LeaseTimeToLiveResponse(
                id: LeaseID(rawValue: 5), ttlSeconds: -1, grantedSeconds: 60, keys: [[1], [], [2, 3]]))
        try expectSame(LeaseLeasesResponse(leases: [LeaseID(rawValue: 1), LeaseID(rawValue: .max)]))
    }

    @Test func `answers about members, locks and elections`() throws {
        try expectSame(MemberListResponse(members: [member, ClusterMember(id: 9, name: "")]))
        try expectSame(MemberAddResponse(member: member, members: [member]))
        try expectSame(AlarmResponse(alarms: [.init(memberID: 7, alarm: 1), .init(memberID: 0, alarm: 2)]))
        try expectSame(HashKVResponse(hash: .max, compactRevision: 3, hashRevision: 9))
        var status = StatusResponse()
        (status.version, status.dbSize, status.leader, status.raftIndex) = ("3.7.1", 4_096, 8, 12)
        (status.errors, status.isLearner, status.storageVersion) = (["a", "b"], true, "3.7.0")
        try expectSame(status)
        try expectSame(LockResponse(key: [4, 5]))
        let leader = LeaderKey(name: [1], key: [1, 2], revision: 6, lease: LeaseID(rawValue: 9))
        try expectSame(CampaignResponse(leader: leader))
        try expectSame(LeaderResponse(keyValue: pair))
    }

    @Test func `a watch message with its events`() throws {
        let events = [
            Event(kind: .put, keyValue: pair, previous: KeyValue(key: [1], modRevision: 3)),
            Event(kind: .delete, keyValue: KeyValue(key: [1], modRevision: 10)),
        ]
        let body = WatchResponse(watchID: 4, compactRevision: 2, cancelReason: "why", fragment: true)
        let bytes = Response(header, body).encoded() + events.flatMap { $0.watchField() }
        let message = try bytes.withUnsafeBytes { try WatchMessage(protobuf: $0) }
        #expect(message.header == header && message.watchID == 4 && message.events == events)
        #expect(message.compactRevision == 2 && message.cancelReason == "why" && message.fragment)
        #expect(!message.created && !message.canceled)
    }

    @Test func `answers inside answers end at the depth of requests`() throws {
        func nested(_ depth: Int) -> TxnResponse {
            (1..<depth).reduce(TxnResponse(succeeded: true)) { inner, _ in
                TxnResponse(succeeded: true, responses: [.txn(inner)])
            }
        }
        let fits = Response(header, nested(TxnRequest.depthMax)).encoded()
        _ = try fits.withUnsafeBytes { try TxnResponse.response(protobuf: $0) }
        let deeper = Response(header, nested(TxnRequest.depthMax + 1)).encoded()
        #expect(throws: ProtobufError.tooDeep) {
            try deeper.withUnsafeBytes { try TxnResponse.response(protobuf: $0) }
        }
    }

    @Test func `requests of members, locks and elections are read as they were written`() throws {
        func same<Request: WireMessage & Equatable>(
            _ request: Request, _ read: (UnsafeRawBufferPointer) throws -> Request
        ) throws {
            #expect(try request.encoded().withUnsafeBytes { try read($0) } == request)
        }
        var add = MemberAddRequest()
        (add.peerURLs, add.isLearner) = (["http://a:1"], true)
        try same(add) { try MemberAddRequest(protobuf: $0) }
        var id = MemberIDRequest()
        id.id = .max
        try same(id) { try MemberIDRequest(protobuf: $0) }
        var lock = LockRequest()
        (lock.name, lock.lease) = ([1], LeaseID(rawValue: 7))
        try same(lock) { try LockRequest(protobuf: $0) }
        var unlock = UnlockRequest()
        unlock.key = [3]
        try same(unlock) { try UnlockRequest(protobuf: $0) }
        var campaign = CampaignRequest()
        (campaign.name, campaign.lease, campaign.value) = ([1], LeaseID(rawValue: 7), [9])
        try same(campaign) { try CampaignRequest(protobuf: $0) }
        var election = ElectionRequest()
        election.name = [5]
        try same(election) { try ElectionRequest(protobuf: $0) }
        var leader = LeaderKeyRequest()
        leader.leader = LeaderKey(name: [1], key: [1, 2], revision: 6, lease: LeaseID(rawValue: 9))
        leader.value = [8]
        try same(leader) { try LeaderKeyRequest(protobuf: $0) }
    }
}
