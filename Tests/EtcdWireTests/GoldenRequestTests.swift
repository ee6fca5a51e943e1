internal import StrakeEtcdWire
internal import StrakeModel
import Testing

private func bytes(_ text: String) -> [UInt8] { [UInt8](text.utf8) }

@Suite struct GoldenRequestTests {
    private let golden = Dictionary(uniqueKeysWithValues: parseVectors(goldenVectors).map { ($0.name, $0.bytes) })

    /// Checks that a vector is read as `request`, and that the client's side writes the same bytes.
    private func expect<Request: Equatable>(
        _ name: String, _ request: Request, _ read: (UnsafeRawBufferPointer) throws(WireError) -> Request,
        location: SourceLocation = #_sourceLocation
    ) throws {
        let vector = try #require(golden["Q \(name)"], sourceLocation: location)
        #expect(try decode(vector, read) == request, sourceLocation: location)
        if let message = request as? any WireMessage {
            #expect(message.encoded() == vector, sourceLocation: location)
        }
    }

    @Test func `key-value requests are read and written`() throws {
        var range = RangeRequest(range: KeyRange(lower: bytes("a"), upper: .before(bytes("b"))))
        range.limit = -10
        range.revision = -5
        range.sortOrder = .descending
        range.sortTarget = .value
        range.isSerializable = true
        range.keysOnly = true
        range.countOnly = true
        range.minModRevision = 1
        range.maxModRevision = 2
        range.minCreateRevision = 3
        range.maxCreateRevision = 1 << 62
        try expect("range", range, RangeRequest.init(protobuf:))

        var put = PutRequest(
            key: bytes("a"), value: [UInt8](repeating: 0x76, count: 300), lease: LeaseID(rawValue: -1))
        put.wantsPrevious = true
        put.ignoreValue = true
        put.ignoreLease = true
        try expect("put", put, PutRequest.init(protobuf:))

        var delete = DeleteRangeRequest(range: KeyRange(lower: bytes("a"), upper: .unbounded))
        delete.wantsPrevious = true
        try expect("delete", delete, DeleteRangeRequest.init(protobuf:))

        try expect("compaction", CompactionRequest(revision: -3, physical: true), CompactionRequest.init(protobuf:))
    }

    @Test func `a transaction with every target and operation is read and written`() throws {
        func key(_ name: String) -> KeyRange { .key(bytes(name)) }
        let inner = TxnRequest(success: [.deleteRange(DeleteRangeRequest(range: key("q")))])
        let txn = TxnRequest(
            compare: [
                Compare(range: key("a"), result: .greater, target: .version(0)),
                Compare(
                    range: KeyRange(lower: bytes("b"), upper: .before(bytes("c"))), result: .notEqual,
                    target: .createRevision(7)),
                Compare(range: key("c"), result: .equal, target: .modRevision(-1)),
                Compare(range: key("d"), result: .less, target: .value([])),
                Compare(
                    range: KeyRange(lower: bytes("e"), upper: .unbounded), result: .equal,
                    target: .lease(LeaseID(rawValue: 1 << 60))),
            ],
            success: [.put(PutRequest(key: bytes("x"), value: bytes("y"))), .range(RangeRequest(range: key("x")))],
            failure: [.txn(inner)])
        try expect("txn", txn) { bytes throws(WireError) in try TxnRequest(protobuf: bytes, maxOperations: 128) }
    }

    @Test func `watch requests are read and written`() throws {
        var create = WatchCreateRequest(range: KeyRange(lower: bytes("p"), upper: .before(bytes("q"))))
        create.startRevision = -1
        create.progressNotify = true
        create.noPut = true
        create.noDelete = true
        create.wantsPrevious = true
        create.watchID = -5
        create.fragment = true
        try expect("watch create", WatchRequest.create(create), WatchRequest.init(protobuf:))
        try expect("watch cancel", WatchRequest.cancel(watchID: 9), WatchRequest.init(protobuf:))
        try expect("watch progress", WatchRequest.progress, WatchRequest.init(protobuf:))
        #expect(try decode([], WatchRequest.init(protobuf:)) == .none)
    }

    @Test func `lease, maintenance and cluster requests are read and written`() throws {
        let lease = LeaseID(rawValue: 12)
        try expect("lease grant", LeaseGrantRequest(ttlSeconds: -1, id: lease), LeaseGrantRequest.init(protobuf:))
        let timeToLive = LeaseRequest(id: LeaseID(rawValue: 1 << 62), keys: true)
        try expect("time to live", timeToLive, LeaseTimeToLiveRequest.init(protobuf:))
        try expect("alarm", AlarmRequest(action: 9, memberID: 1 << 63, alarm: -1), AlarmRequest.init(protobuf:))
        var hash = HashKVRequest()
        hash.revision = 999
        try expect("hashkv", hash, HashKVRequest.init(protobuf:))
        var list = MemberListRequest()
        list.linearizable = true
        try expect("member list", list, MemberListRequest.init(protobuf:))
        var move = MoveLeaderRequest()
        move.targetID = .max
        try expect("move leader", move, MoveLeaderRequest.init(protobuf:))
        var add = MemberAddRequest()
        add.peerURLs = ["http://ä:2380", ""]
        add.isLearner = true
        try expect("member add", add, MemberAddRequest.init(protobuf:))
        var update = MemberUpdateRequest()
        update.id = 5
        update.peerURLs = ["http://a:1"]
        try expect("member update", update, MemberUpdateRequest.init(protobuf:))
    }

    @Test func `random requests of another implementation come back byte for byte`() throws {
        for (name, bytes) in parseVectors(randomRequests) {
            switch name {
            case "range": #expect(try decode(bytes, RangeRequest.init(protobuf:)).encoded() == bytes)
            case "put": #expect(try decode(bytes, PutRequest.init(protobuf:)).encoded() == bytes)
            case "delete": #expect(try decode(bytes, DeleteRangeRequest.init(protobuf:)).encoded() == bytes)
            default: #expect(try decodeTxn(bytes).encoded() == bytes)
            }
        }
    }
}

func decodeTxn(_ bytes: [UInt8], maxOperations: Int = 128) throws(WireError) -> TxnRequest {
    try decode(bytes) { buffer throws(WireError) in try TxnRequest(protobuf: buffer, maxOperations: maxOperations) }
}
