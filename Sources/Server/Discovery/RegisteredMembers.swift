/// Members of a new cluster, as they have registered: who came first is in it.
package struct RegisteredMembers: Hashable, Sendable {
    private struct Member: Hashable {
        var key: String
        var entries: String
        var createRevision: Int64
    }

    /// Why a pair is none of a member; etcd's words.
    package enum Problem: String, Error, Sendable {
        case noEntry = "invalid peer info returned from discovery service"
        case duplicate = "found duplicate peer from discovery service"
    }

    /// In the order of their creation, so that all members choose the same ones. Two of one revision, written by a
    /// transaction, stand in the order of their keys.
    private var members: [Member] = []

    package init() {}

    package var count: Int { members.count }

    /// - Parameters:
    ///   - entries: `name=url`, more of them comma-separated.
    ///   - createRevision: Of the key.
    package mutating func add(key: String, entries: String, createRevision: Int64) throws(Problem) {
        guard entries.contains("=") else { throw .noEntry }
        guard !members.contains(where: { $0.key == key }) else { throw .duplicate }
        members.append(Member(key: key, entries: entries, createRevision: createRevision))
        members.sort { ($0.createRevision, $0.key) < ($1.createRevision, $1.key) }
    }

    /// Whether the member with this key is one of the first `size`, or can become one.
    package func hasRoom(for key: String, size: Int) -> Bool {
        (members.firstIndex { $0.key == key } ?? members.count) < size
    }

    /// The first `size`, in the form of `--initial-cluster`.
    package func initialCluster(size: Int) -> String {
        members.prefix(size).map(\.entries).joined(separator: ",")
    }
}
