import StrakeDiscovery
import Testing

struct RegisterTests {
    @Test(
        "keys are etcd's, also of tokens that look like paths",
        arguments: [
            ("token", "/_etcd/registry/token"), ("a/b", "/_etcd/registry/a/b"), ("/a//b/", "/_etcd/registry/a/b"),
            ("./a", "/_etcd/registry/a"), ("a/../b", "/_etcd/registry/b"), ("../../../x", "/x"),
        ])
    func keys(token: String, folder: String) {
        let keys = RegistryKeys(token: token)
        #expect(keys.size == folder + "/_config/size")
        #expect(keys.member(0xAB01) == folder + "/members/ab01")
    }

    private static func register(_ pairs: [(String, String, Int64)]) throws -> RegisteredMembers {
        var members = RegisteredMembers()
        for (key, entries, revision) in pairs { try members.add(key: key, entries: entries, createRevision: revision) }
        return members
    }

    @Test func `the first members in the order of their creation make the cluster`() throws {
        let members = try Self.register([
            ("/c", "c=http://c:1", 9), ("/a", "a=http://a:1,a=http://a:2", 7), ("/d", "d=http://d:1", 9),
            ("/b", "b=http://b:1", 3),
        ])
        #expect(members.count == 4)
        #expect(members.initialCluster(size: 3) == "b=http://b:1,a=http://a:1,a=http://a:2,c=http://c:1")
        #expect(members.initialCluster(size: 9).hasSuffix(",d=http://d:1"))
    }

    @Test(
        "there is room for the first ones, and for others until there are enough",
        arguments: [
            ("/a", 1, true), ("/b", 1, false), ("/b", 2, true), ("/x", 2, false), ("/x", 3, true),
            ("/x", Int.max, true),
        ])
    func room(key: String, size: Int, has: Bool) throws {
        let members = try Self.register([("/b", "b=http://b:1", 5), ("/a", "a=http://a:1", 4)])
        #expect(members.hasRoom(for: key, size: size) == has)
    }

    @Test func `what is none of a member is told, and changes nothing`() throws {
        let before = try Self.register([("/a", "a=http://a:1", 4)])
        var members = before
        #expect(throws: RegisteredMembers.Problem.duplicate) {
            try members.add(key: "/a", entries: "a=http://other:1", createRevision: 3)
        }
        // As a removed key is told.
        #expect(throws: RegisteredMembers.Problem.noEntry) {
            try members.add(key: "/b", entries: "", createRevision: 0)
        }
        #expect(members == before)
    }
}
