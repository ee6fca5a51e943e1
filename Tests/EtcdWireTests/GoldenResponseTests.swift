internal import StrakeEtcdWire
internal import StrakeModel
import Testing

private func bytes(_ text: String) -> [UInt8] { [UInt8](text.utf8) }

private func header(revision: Int64 = 1_234_567) -> ResponseHeader {
    ResponseHeader(
        clusterID: 0xcdf8_1819_4e3a_8c32, memberID: 0x8e9e_05c5_2164_694d, revision: revision, raftTerm: 7)
}

private let pair = KeyValue(key: bytes("key"), createRevision: 2, modRevision: 300, version: 9, value: bytes("value"))
private let leased = KeyValue(key: [], value: [], lease: LeaseID(rawValue: 0x7000_0000_0000_0001))
private let member: UInt64 = 0x8e9e_05c5_2164_694d

private var status: StatusResponse {
    var status = StatusResponse()
    status.version = "3.7.1"
    status.dbSize = 49_152
    status.leader = member
    status.raftIndex = 95
    status.raftTerm = 2
    status.raftAppliedIndex = 94
    status.errors = ["memberID:5 alarm:NOSPACE ", "x"]
    status.dbSizeInUse = 40_960
    status.isLearner = true
    status.storageVersion = "3.7.0"
    status.dbSizeQuota = 2_147_483_648
    return status
}

private var statusDowngrade: StatusResponse {
    var status = StatusResponse()
    status.downgradeEnabled = true
    status.downgradeTarget = "3.6.0"
    return status
}

private let members = [
    ClusterMember(id: 1, name: "m1", peerURLs: ["http://a:2380"], clientURLs: ["http://a:2379", "http://b:2379"]),
    ClusterMember(id: member, name: "", peerURLs: ["http://c:2380"], isLearner: true),
]

private let nestedTxn = TxnResponse(
    succeeded: true,
    responses: [
        .range(RangeResponse(keyValues: [pair], count: 1)),
        .deleteRange(DeleteRangeResponse()),
        .txn(
            TxnResponse(
                succeeded: false,
                responses: [
                    .txn(TxnResponse(succeeded: true, responses: [.put(PutResponse(previous: pair))])),
                    .range(RangeResponse()),
                ])),
        .range(RangeResponse()),
    ], revision: 140)

private let deletingTxn = TxnResponse(
    succeeded: true,
    responses: [
        .range(RangeResponse()), .deleteRange(DeleteRangeResponse(deleted: 1)), .deleteRange(DeleteRangeResponse()),
    ], revision: 128)

private let kvResponses: [(String, any WireMessage)] = [
    ("range empty", Response(header(), RangeResponse())),
    ("range two, more", Response(header(), RangeResponse(keyValues: [pair, leased], more: true, count: 1000))),
    (
        "range long value",
        Response(
            header(),
            RangeResponse(
                keyValues: [
                    KeyValue(
                        key: [UInt8](repeating: 0x6b, count: 200), createRevision: 1, modRevision: 2, version: 3,
                        value: [UInt8](repeating: 0x76, count: 20_000), lease: LeaseID(rawValue: 4))
                ], count: 1))
    ),
    ("put", Response(header(), PutResponse())),
    ("put previous", Response(header(), PutResponse(previous: pair))),
    ("put header empty", Response(ResponseHeader(), PutResponse())),
    ("delete none", Response(header(), DeleteRangeResponse())),
    (
        "delete two",
        Response(
            header(),
            DeleteRangeResponse(
                deleted: 2,
                previous: [
                    pair,
                    KeyValue(
                        key: bytes("z"), createRevision: 2, modRevision: 300, version: 9, value: bytes("value")),
                ]))
    ),
    ("txn failed", Response(header(), TxnResponse(succeeded: false, revision: 1_234_567))),
    ("txn all kinds", Response(header(revision: 140), nestedTxn)),
    ("txn delete changes", Response(header(revision: 128), deletingTxn)),
    (
        "txn read only",
        Response(
            header(revision: 128),
            TxnResponse(succeeded: true, responses: [.range(RangeResponse())], revision: 128))
    ),
    ("compaction", Response(header(), EmptyResponse())),
]

private let otherResponses: [(String, any WireMessage)] = [
    ("watch created", Response(header(), WatchResponse(watchID: 3, created: true))),
    (
        "watch refused",
        Response(
            header(),
            WatchResponse(
                watchID: -1, created: true, canceled: true, cancelReason: WatchCancelReason.emptyRange.rawValue))
    ),
    (
        "watch compacted",
        Response(
            ResponseHeader(clusterID: 1, memberID: 2, raftTerm: 3),
            WatchResponse(watchID: 1, canceled: true, compactRevision: 57))
    ),
    ("lease grant", Response(header(), LeaseGrantResponse(id: leased.lease, ttlSeconds: 60))),
    ("keep alive unknown", Response(header(), LeaseKeepAliveResponse(id: LeaseID(rawValue: 77), ttlSeconds: 0))),
    (
        "time to live",
        Response(
            header(),
            LeaseTimeToLiveResponse(
                id: LeaseID(rawValue: 77), ttlSeconds: 5, grantedSeconds: 10, keys: [bytes("a"), [], bytes("bc")]))
    ),
    ("time to live unknown", Response(header(), LeaseTimeToLiveResponse(id: LeaseID(rawValue: 77), ttlSeconds: -1))),
    (
        "leases",
        Response(header(), LeaseLeasesResponse(leases: [LeaseID(rawValue: 1), LeaseID(rawValue: -2), .none]))
    ),
    (
        "alarm",
        Response(header(), AlarmResponse(alarms: [.init(memberID: 5, alarm: 1), .init(memberID: member, alarm: 9)]))
    ),
    ("status", Response(header(), status)),
    ("status downgrade", Response(header(), statusDowngrade)),
    ("hash", Response(header(), HashResponse(hash: 0xfedc_ba98))),
    ("hashkv", Response(header(), HashKVResponse(hash: 0xfedc_ba98, compactRevision: 10, hashRevision: 20))),
    ("members", Response(header(), MemberListResponse(members: members))),
    ("member add", Response(header(), MemberAddResponse(member: members[1], members: members))),
]

@Suite struct GoldenResponseTests {
    private let golden = Dictionary(uniqueKeysWithValues: parseVectors(goldenVectors).map { ($0.name, $0.bytes) })

    @Test func `every response has the bytes that protobuf gives it`() {
        for (name, message) in kvResponses + otherResponses {
            #expect(message.encoded() == golden[name], "\(name)")
            #expect(message.encodedSize == golden[name]?.count, "\(name)")
        }
    }

    @Test func `no vector of a response is left out`() {
        let elsewhere: Set = ["stream part", "stream last", "watch events"]
        let tested = Set((kvResponses + otherResponses).map { $0.0 })
        #expect(Set(golden.keys.filter { !$0.hasPrefix("Q ") }) == tested.union(elsewhere))
    }

    @Test func `a range put together from parts is the whole message`() {
        let parts = Parts(header: header(), pairs: [pair, leased], more: true, count: 1000)
        #expect(parts.encoded(valuePieces: 1) == golden["range two, more"])
        #expect(parts.encoded(valuePieces: 3) == golden["range two, more"])
        #expect(
            Parts(header: header(), pairs: [], more: false, count: 0).encoded(valuePieces: 1) == golden["range empty"])
    }

    @Test func `a range stream wraps the parts`() {
        let part = Parts(header: nil, pairs: [pair], more: false, count: 0)
        #expect(part.encodedForStream() == golden["stream part"])
        let last = Parts(header: header(), pairs: [pair], more: false, count: 2)
        #expect(last.encodedForStream() == golden["stream last"])
    }

    @Test func `events encoded once follow the watch response`() {
        let put = Event(kind: .put, keyValue: pair)
        let delete = Event(kind: .delete, keyValue: KeyValue(key: bytes("key"), modRevision: 301), previous: pair)
        let response = Response(header(), WatchResponse(watchID: 0, fragment: true))
        #expect(response.encoded() + put.watchField() + delete.watchField() == golden["watch events"])
        #expect(put.watchField().count == put.watchFieldSize)
        #expect(response.encoded() + encodedInPlace(put) + encodedInPlace(delete) == golden["watch events"])
    }

    /// The event from its bytes where they lie.
    private func encodedInPlace(_ event: Event) -> [UInt8] {
        func fields(_ keyValue: KeyValue) -> KeyValueFields {
            KeyValueFields(
                keyCount: keyValue.key.count, valueCount: keyValue.value.count,
                createRevision: keyValue.createRevision, modRevision: keyValue.modRevision, version: keyValue.version,
                lease: keyValue.lease)
        }
        let previousValue = event.previous?.value ?? []
        let inPlace = EventFields(
            kind: event.kind, keyValue: fields(event.keyValue), previous: event.previous.map(fields))
        return [UInt8](unsafeUninitializedCapacity: inPlace.watchFieldSize) { memory, count in
            var writer = ProtobufWriter(UnsafeMutableRawBufferPointer(memory))
            event.keyValue.key.withUnsafeBytes { key in
                event.keyValue.value.withUnsafeBytes { value in
                    previousValue.withUnsafeBytes {
                        inPlace.encodeWatchField(key: key, value: value, previousValue: $0, to: &writer)
                    }
                }
            }
            #expect(writer.count == inPlace.watchFieldSize)
            count = writer.count
        }
    }

    @Test func `health answers with its status`() {
        #expect(HealthCheckResponse(status: .serving).encoded() == [8, 1])
        #expect(HealthCheckResponse(status: .unknown).encoded() == [])
    }
}

/// A range's answer as a server writes it that never holds the whole.
private struct Parts {
    var header: ResponseHeader?
    var pairs: [KeyValue]
    var more: Bool
    var count: Int64

    private func write(_ size: Int, _ body: (inout ProtobufWriter) -> Void) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: size) { memory, count in
            var writer = ProtobufWriter(
                UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(memory)[..<size]))
            body(&writer)
            count = writer.count
            #expect(writer.isFull)
        }
    }

    func encoded(valuePieces: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        if let header { bytes += write(RangeParts.headerSize(header)) { RangeParts.encodeHeader(header, to: &$0) } }
        for pair in pairs {
            let fields = KeyValueFields(
                keyCount: pair.key.count, valueCount: pair.value.count, createRevision: pair.createRevision,
                modRevision: pair.modRevision, version: pair.version, lease: pair.lease)
            bytes += write(fields.rangeFieldSize) { writer in
                pair.key.withUnsafeBytes { key in
                    pair.value.withUnsafeBytes { value in
                        if valuePieces == 1 {
                            fields.encodeRangeField(key: key, value: value, to: &writer)
                            return
                        }
                        fields.encodeRangeFieldPrefix(key: key, to: &writer)
                        for index in value.indices {
                            writer.raw(UnsafeRawBufferPointer(rebasing: value[index...index]))
                        }
                        fields.encodeSuffix(to: &writer)
                    }
                }
            }
        }
        return bytes
            + write(RangeParts.tailSize(more: more, count: count)) {
                RangeParts.encodeTail(more: more, count: count, to: &$0)
            }
    }

    func encodedForStream() -> [UInt8] {
        let range = encoded(valuePieces: 1)
        return write(RangeParts.streamPrefixSize(range.count)) { RangeParts.encodeStreamPrefix(range.count, to: &$0) }
            + range
    }
}
