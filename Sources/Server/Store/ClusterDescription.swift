internal import StrakeModel

/// What a member that was added to a cluster has to be told before it can be one: the cluster's id, and who is in it.
///
/// As text, a line each, so that an operator can read it too:
///
///     cluster 1f2e3d4c5b6a7988
///     member 8e9e05c52164694d http://10.0.0.1:2380,http://10.0.1.1:2380
///     learner b1f9a2d3c4e5f607 http://10.0.0.2:2380
package struct ClusterDescription: Hashable, Sendable {
    package var cluster: UInt64
    /// Peer URLs by id.
    package var peerURLs: [UInt64: [String]]
    /// Those that do not vote.
    package var learners: Set<UInt64>
    /// Names and client URLs by id, of those that have made them known. They are not part of the text: nobody needs them
    /// to join.
    package var names: [UInt64: String] = [:]
    package var clientURLs: [UInt64: [String]] = [:]

    package init(cluster: UInt64, peerURLs: [UInt64: [String]], learners: Set<UInt64> = []) {
        self.cluster = cluster
        self.peerURLs = peerURLs
        self.learners = learners
    }

    package var text: String {
        var text = "cluster \(String(cluster, radix: 16))\n"
        for (id, urls) in peerURLs.sorted(by: { $0.key < $1.key }) {
            text +=
                "\(learners.contains(id) ? "learner" : "member") \(String(id, radix: 16)) \(urls.joined(separator: ","))\n"
        }
        return text
    }

    /// Nil for any other text.
    package init?(_ text: String) {
        let lines = text.split(separator: "\n")
        guard let first = lines.first, first.hasPrefix("cluster "),
            let cluster = UInt64(first.dropFirst(8), radix: 16)
        else { return nil }
        self.init(cluster: cluster, peerURLs: [:])
        for line in lines.dropFirst() {
            let fields = line.split(separator: " ")
            guard fields.count == 3, let id = UInt64(fields[1], radix: 16) else { return nil }
            switch fields[0] {
            case "member": break
            case "learner": learners.insert(id)
            default: return nil
            }
            peerURLs[id] = fields[2].split(separator: ",").map(String.init)
        }
    }

    /// The cluster as a member sees it that is reached at these URLs and was added, but has not begun.
    ///
    /// - Returns: `nil` when no member has just these URLs.
    package func joined(at urls: [String]) -> JoinedCluster? {
        guard let own = peerURLs.filter({ $0.value.sorted() == urls.sorted() }).map(\.key).min() else { return nil }
        return JoinedCluster(cluster: cluster, member: own, peerURLs: peerURLs, isLearner: learners.contains(own))
    }
}

extension Store {
    package var description: ClusterDescription {
        let members = memberList
        let urls = Dictionary(uniqueKeysWithValues: members.map { ($0.attributes.id, $0.attributes.peerURLs) })
        let learners = Set(members.filter { $0.isLearner }.map { $0.attributes.id })
        var description = ClusterDescription(cluster: clusterID, peerURLs: urls, learners: learners)
        for (attributes, _) in members {
            description.names[attributes.id] = attributes.name
            description.clientURLs[attributes.id] = attributes.clientURLs
        }
        return description
    }
}
