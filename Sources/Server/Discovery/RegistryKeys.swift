internal import StrakeModel

/// Where a discovery service keeps what it knows of one new cluster: etcd's keys.
package struct RegistryKeys: Hashable, Sendable {
    private let folder: String

    /// - Parameter token: Names the new cluster. Slashes make folders of it, as in a path.
    package init(token: String) {
        var names = ["_etcd", "registry"]
        for name in token.split(separator: "/") where name != "." {
            if name == ".." { _ = names.popLast() } else { names.append(String(name)) }
        }
        folder = "/" + names.joined(separator: "/")
    }

    /// How many members found the cluster; the operator's to write.
    package var size: String { folder + "/_config/size" }

    /// What a member with this id has written stands here.
    package func member(_ id: UInt64) -> String { membersFolder + String(id, radix: 16) }

    private var membersFolder: String { folder + "/members/" }

    /// The keys of all members.
    var members: KeyRange {
        // What follows a slash is a zero.
        KeyRange(key: Array(membersFolder.utf8), rangeEnd: Array((membersFolder.dropLast() + "0").utf8))
    }
}
