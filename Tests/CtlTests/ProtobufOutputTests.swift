internal import StrakeClient
internal import StrakeCtl
internal import StrakeEtcdWire
internal import Testing

@Suite struct ProtobufOutputTests {
    private let header = Header(clusterID: 1, memberID: 2, revision: 300, raftTerm: 4)
    private let headerBytes: [UInt8] = [0x08, 1, 0x10, 2, 0x18, 0xAC, 0x02, 0x20, 4]

    @Test func `a message has its header first, and the body's fields behind it`() {
        let body = RangeResponse(keyValues: [KeyValue(key: [0x61], value: [0x62])], count: 1)
        let pair: [UInt8] = [0x0A, 1, 0x61, 0x2A, 1, 0x62]
        #expect(
            ProtobufOutput.message(header, body)
                == [0x0A, 9] + headerBytes + [0x12, 6] + pair + [0x20, 1])
    }

    @Test func `an answer that the client has put together itself has no header`() {
        let alarms = AlarmResponse(alarms: [AlarmResponse.Alarm(memberID: 5, alarm: 1)])
        #expect(ProtobufOutput.message(Header(), alarms) == [0x12, 4, 0x08, 5, 0x10, 1])
        #expect(ProtobufOutput.message(Header(), AlarmResponse()) == [])
    }

    @Test func `of a lease the header is the message`() {
        #expect(ProtobufOutput.header(header) == headerBytes)
        #expect(ProtobufOutput.header(Header()) == [])
    }

    @Test func `a watch's message has its events last, and a header even when that is empty`() {
        let event = Event(
            kind: .delete, keyValue: KeyValue(key: [0x61], modRevision: 7),
            previous: KeyValue(key: [0x61], value: [0x62]))
        let eventBytes: [UInt8] =
            [0x08, 1, 0x12, 5, 0x0A, 1, 0x61, 0x18, 7, 0x1A, 6, 0x0A, 1, 0x61, 0x2A, 1, 0x62]
        #expect(
            ProtobufOutput.watch(header, [event])
                == [0x0A, 9] + headerBytes + [0x5A, UInt8(eventBytes.count)] + eventBytes)
        #expect(
            ProtobufOutput.watch(Header(), [], compactRevision: 9, isCanceled: true)
                == [0x0A, 0, 0x20, 1, 0x28, 9])
    }
}
