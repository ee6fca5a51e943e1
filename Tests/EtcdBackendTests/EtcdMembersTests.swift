import StrakeModel
import Testing

@testable import StrakeEtcdBackend

struct EtcdMembersTests {
    private func member(_ json: String) -> EtcdMember? {
        Array(json.utf8).withUnsafeBytes { EtcdMember(json: $0) }
    }

    /// `raftpb.ConfChange`.
    private func apply(_ kind: UInt64, _ id: UInt64, _ json: String = "", to members: inout EtcdMembers) -> Bool {
        let change = field(1, 77) + field(2, kind) + field(3, id) + (json.isEmpty ? [] : field(4, json.bytes))
        return change.withUnsafeBytes { members.apply($0) }
    }

    @Test func `a member is read as etcd writes it, an id of all 64 bits too`() {
        let text = """
            {"id":18446744073709551615,"peerURLs":["http://a:1","http://b:1"],"name":"m \\u00e9","clientURLs":["http://a:2"]}
            """
        let found = member(text)
        #expect(
            found?.attributes
                == MemberAttributes(
                    id: .max, name: "m é", peerURLs: ["http://a:1", "http://b:1"], clientURLs: ["http://a:2"]))
        #expect(found?.isLearner == false && found?.isPromotion == false)
        let learner = member(#"{"id":5,"peerURLs":null,"isLearner":true}"#)
        #expect(learner?.isLearner == true && learner?.attributes.name.isEmpty == true)
    }

    @Test(
        "what etcd does not write is refused",
        arguments: [
            "", "[]", "{", #"{"id":"5"}"#, #"{"id":-1}"#, #"{"id":1.5}"#, #"{"id":18446744073709551616}"#,
            #"{"id":5,"name":7}"#, #"{"id":5,"peerURLs":"http://a"}"#, #"{"id":5,"peerURLs":[1]}"#,
            #"{"id":5,"id":6}"#,
        ])
    func malformed(text: String) {
        #expect(member(text) == nil)
    }

    @Test func `members come, are promoted, moved, and go for good`() {
        var members = EtcdMembers()
        #expect(apply(0, 9, #"{"id":9,"peerURLs":["http://a"],"name":"a"}"#, to: &members))
        #expect(apply(3, 4, #"{"id":4,"peerURLs":["http://b"],"isLearner":true}"#, to: &members))
        #expect(members.all.map(\.id) == [4, 9] && members.learners == [4] && members.voterCount == 1)
        members.setAttributes(of: 4, name: "b", clientURLs: ["http://c"])
        members.setAttributes(of: 5, name: "nobody", clientURLs: [])
        #expect(apply(2, 4, #"{"id":4,"peerURLs":["http://d"]}"#, to: &members))
        #expect(
            members.all.first
                == MemberAttributes(id: 4, name: "b", peerURLs: ["http://d"], clientURLs: ["http://c"]))
        #expect(apply(0, 4, #"{"id":4,"peerURLs":["http://d"],"isPromote":true}"#, to: &members))
        #expect(members.learners.isEmpty && members.voterCount == 2)
        #expect(apply(1, 9, to: &members))
        #expect(members.all.map(\.id) == [4])
    }

    @Test func `a change that etcd refuses as it applies it changes nothing`() {
        var members = EtcdMembers()
        #expect(apply(0, 1, #"{"id":1,"peerURLs":["http://a"]}"#, to: &members))
        #expect(apply(0, 2, #"{"id":2,"peerURLs":["http://b"]}"#, to: &members))
        #expect(apply(1, 2, to: &members))
        let before = members
        for (kind, id, text) in [
            // There already, in use, gone for good, or not there.
            (0, 1, #"{"id":1,"peerURLs":["http://c"]}"#), (0, 3, #"{"id":3,"peerURLs":["http://a"]}"#),
            (0, 2, #"{"id":2,"peerURLs":["http://b"]}"#), (2, 3, #"{"id":3,"peerURLs":["http://c"]}"#), (1, 3, ""),
        ] as [(UInt64, UInt64, String)] {
            #expect(apply(kind, id, text, to: &members))
            #expect(members == before)
        }
    }

    @Test func `a change that cannot be read is told`() {
        var members = EtcdMembers()
        #expect(!apply(0, 1, #"{"id":2,"peerURLs":[]}"#, to: &members))
        #expect(!apply(0, 1, "", to: &members))
        #expect(!apply(7, 1, #"{"id":1}"#, to: &members))
        #expect(!apply(0, 0, #"{"id":0}"#, to: &members))
        #expect(![0xFF].withUnsafeBytes { members.apply($0) })
    }
}
