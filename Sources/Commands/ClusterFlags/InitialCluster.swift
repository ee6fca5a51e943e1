internal import StrakeFlags
package import StrakeStore

/// The value of `--initial-cluster`: who the members are at the first start.
package enum InitialCluster {
    /// The members in the order they are named in; a name that comes again adds a URL.
    ///
    /// - Parameter source: Who says so, for what is wrong with it.
    package static func members(
        _ text: String, from source: String = "--initial-cluster"
    ) throws(ClusterFlagError) -> [InitialMember] {
        var members: [InitialMember] = []
        for item in text.split(separator: ",") {
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty else {
                throw ClusterFlagError("\(source): \"\(item)\" is not of the form name=peer-url")
            }
            let (name, url) = (String(parts[0]), String(parts[1]))
            guard let parsed = ListenURL(url), parsed.scheme == "http" || parsed.scheme == "https" else {
                throw ClusterFlagError(
                    "\(source): \"\(url)\" of \(name) is not a URL with scheme, host and port")
            }
            if let place = members.firstIndex(where: { $0.name == name }) {
                members[place].peerURLs.append(url)
            } else {
                members.append(InitialMember(name: name, peerURLs: [url]))
            }
        }
        return members
    }

    /// Refuses what cannot be the cluster of this member.
    package static func check(
        _ members: [InitialMember], name: String, advertised: [String], from source: String = "--initial-cluster"
    ) throws(ClusterFlagError) {
        guard let own = members.first(where: { $0.name == name }) else {
            throw ClusterFlagError(
                "couldn't find local name \"\(name)\" in the initial cluster configuration: \(source) must name the "
                    + "member that --name does")
        }
        var seen: Set<String> = []
        for url in members.flatMap(\.peerURLs) where !seen.insert(url).inserted {
            throw ClusterFlagError("\(source) has duplicate url \(url)")
        }
        let unknown = own.peerURLs.filter { !advertised.contains($0) }.sorted()
        if !unknown.isEmpty {
            throw ClusterFlagError(
                "\(source) has \(unknown.map { "\(name)=\($0)" }.joined(separator: ",")) but missing from "
                    + "--initial-advertise-peer-urls=\(advertised.sorted().joined(separator: ","))")
        }
        let missing = advertised.filter { !own.peerURLs.contains($0) }.sorted()
        if !missing.isEmpty {
            let all = members.flatMap { member in member.peerURLs.map { "\(member.name)=\($0)" } }
            throw ClusterFlagError(
                "--initial-advertise-peer-urls has \(missing.joined(separator: ",")) but missing from "
                    + "\(source)=\(all.joined(separator: ","))")
        }
    }
}

/// What is wrong with what the flags say about the cluster.
package struct ClusterFlagError: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}
