internal import StrakeEtcdWire
internal import StrakeModel
import Testing

@Suite struct SummaryTests {
    private let header = ResponseHeader(clusterID: .max, memberID: 1 << 63, revision: 77, raftTerm: 3)
    private let pair = KeyValue(key: [1], createRevision: 2, modRevision: 9, version: 1, value: [5, 6])

    @Test func `the client finds in responses what the server put there`() throws {
        let put = try decode(Response(header, PutResponse(previous: pair)).encoded(), HeaderSummary.init(protobuf:))
        #expect(put.header == header)

        let rangeResponse = RangeResponse(keyValues: [pair, pair], more: true, count: 5)
        let range = try decode(Response(header, rangeResponse).encoded(), RangeResponseSummary.init(protobuf:))
        #expect(range.header == header)
        #expect((range.keyValueCount, range.more, range.count) == (2, true, 5))

        let txnResponse = TxnResponse(
            succeeded: true, responses: [.put(PutResponse()), .range(rangeResponse)], revision: 77)
        let txn = try decode(Response(header, txnResponse).encoded(), TxnResponseSummary.init(protobuf:))
        #expect(txn.header == header)
        #expect((txn.succeeded, txn.responseCount) == (true, 2))

        let grant = LeaseGrantResponse(id: LeaseID(rawValue: -4), ttlSeconds: 60)
        let lease = try decode(Response(header, grant).encoded(), LeaseResponseSummary.init(protobuf:))
        #expect((lease.id, lease.ttlSeconds) == (grant.id, 60))

        var statusResponse = StatusResponse()
        statusResponse.version = "3.7.1"
        statusResponse.dbSize = 4096
        statusResponse.leader = 9
        let status = try decode(Response(header, statusResponse).encoded(), StatusResponseSummary.init(protobuf:))
        #expect((status.header, status.version, status.dbSize, status.leader) == (header, "3.7.1", 4096, 9))
    }

    @Test func `the client finds the events of a watch response`() throws {
        let events = [
            Event(kind: .put, keyValue: pair, previous: pair),
            Event(kind: .delete, keyValue: KeyValue(key: [7], modRevision: 10)),
        ]
        let response = WatchResponse(watchID: -1, created: true, canceled: true, compactRevision: 8)
        let bytes = Response(header, response).encoded() + events.flatMap { $0.watchField() }
        let watch = try decode(bytes, WatchResponseSummary.init(protobuf:))
        #expect((watch.header, watch.watchID, watch.created, watch.canceled) == (header, -1, true, true))
        #expect((watch.compactRevision, watch.eventCount) == (8, 2))

        var seen: [Event] = []
        try decode(bytes) { buffer throws(ProtobufError) in
            try EventView.forEach(in: buffer) { event in
                let keyValue = KeyValue(
                    key: [UInt8](event.key), modRevision: event.modRevision, value: [UInt8](event.value))
                seen.append(Event(kind: event.kind, keyValue: keyValue))
            }
        }
        let put = Event(kind: .put, keyValue: KeyValue(key: [1], modRevision: 9, value: [5, 6]))
        #expect(seen == [put, events[1]])
    }
}
