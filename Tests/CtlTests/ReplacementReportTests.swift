import StrakeCtl
import StrakeEtcdWire
import Testing

@Suite struct ReplacementReportTests {
    private static let report = ReplacementReport(
        old: 0xdead, name: "m4", peerURLs: ["http://h4:1", "http://i4:1"])

    private static func answer(
        _ state: MemberReplaceResponse.State, matched: UInt64 = 0, last: UInt64 = 0, isInTouch: Bool = false
    ) -> MemberReplaceResponse {
        var answer = MemberReplaceResponse()
        (answer.state, answer.newID) = (state, 0xbeef)
        (answer.matched, answer.last, answer.isInTouch) = (matched, last, isInTouch)
        answer.members = [
            ClusterMember(id: 0xdead, name: "m1", peerURLs: ["http://h1:1"]),
            ClusterMember(id: 2, name: "m2", peerURLs: ["http://h2:1", "http://i2:1"]),
            // It has not started, so nobody could name it.
            ClusterMember(id: 3, name: "", peerURLs: ["http://h3:1"]),
            ClusterMember(id: 0xbeef, name: "", peerURLs: ["http://h4:1", "http://i4:1"], isLearner: true),
        ]
        return answer
    }

    @Test(
        "each state is told in a line",
        arguments: [
            (answer(.added), "waiting for member beef to start"),
            (answer(.catchingUp, last: 90), "waiting for member beef to start"),
            (answer(.catchingUp, last: 90, isInTouch: true), "member beef receives a snapshot"),
            (answer(.catchingUp, matched: 30, last: 90, isInTouch: true), "catching up: 30 of 90 entries (33 %)"),
            (answer(.changing), "changing the membership"),
            (answer(.done), "Member dead is replaced by member beef"),
        ])
    func progress(answer: MemberReplaceResponse, line: String) {
        #expect(Self.report.progress(of: answer) == line)
    }

    @Test func `the new member is told of those that stay and can be named, and of itself`() throws {
        let text = try #require(Self.report.introduction(of: Self.answer(.added)))
        let cluster = "m2=http://h2:1,m2=http://i2:1,m4=http://h4:1,m4=http://i4:1"
        #expect(
            text.split(separator: "\n").dropFirst() == [
                "ETCD_NAME=\"m4\"", "ETCD_INITIAL_CLUSTER=\"\(cluster)\"",
                "ETCD_INITIAL_ADVERTISE_PEER_URLS=\"http://h4:1,http://i4:1\"",
                "ETCD_INITIAL_CLUSTER_STATE=\"existing\"",
            ])
        #expect(Self.report.introduction(of: Self.answer(.catchingUp)) == text)
        #expect(Self.report.introduction(of: Self.answer(.changing)) == nil)
        #expect(Self.report.introduction(of: Self.answer(.done))?.contains("nothing to do") == true)
    }
}
