import StrakeEtcdWire
import Testing

@Suite struct ReplaceMessageTests {
    @Test func `a request for a replacement is read as it was written`() throws {
        var request = MemberReplaceRequest()
        request.id = 0x8e9e_05c5_2164_694d
        request.peerURLs = ["http://10.0.0.4:2380", "http://10.0.1.4:2380"]
        let read = try request.encoded().withUnsafeBytes { try MemberReplaceRequest(protobuf: $0) }
        #expect(read == request)
    }

    @Test(
        "an answer is read as it was written",
        arguments: [.added, .catchingUp, .changing, .done] as [MemberReplaceResponse.State])
    func answer(state: MemberReplaceResponse.State) throws {
        var answer = MemberReplaceResponse()
        answer.state = state
        answer.newID = 7
        answer.matched = 120
        answer.last = 4_512
        answer.isInTouch = true
        answer.members = [
            ClusterMember(id: 7, name: "", peerURLs: ["http://h7:1"], isLearner: true),
            ClusterMember(id: 8, name: "m8", peerURLs: ["http://h8:1"], clientURLs: ["http://h8:2"]),
        ]
        let bytes = Response(ResponseHeader(clusterID: 1, memberID: 2, raftTerm: 3), answer).encoded()
        #expect(try bytes.withUnsafeBytes { try MemberReplaceResponse(protobuf: $0) } == answer)
    }

    @Test func `a state of a later version means that it goes on`() throws {
        #expect(
            try ([0x10, 9] as [UInt8]).withUnsafeBytes { try MemberReplaceResponse(protobuf: $0) }.state == .changing)
        #expect(throws: ProtobufError.self) {
            try ([0x32, 9] as [UInt8]).withUnsafeBytes { try MemberReplaceResponse(protobuf: $0) }
        }
    }
}
