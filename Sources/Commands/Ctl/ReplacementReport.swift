package import StrakeEtcdWire

/// What the operator is told while a member is replaced.
package struct ReplacementReport {
    /// The member that goes.
    package var old: UInt64
    /// The member that comes.
    package var name: String
    package var peerURLs: [String]

    package init(old: UInt64, name: String, peerURLs: [String]) {
        self.old = old
        self.name = name
        self.peerURLs = peerURLs
    }

    /// How to start the new member, or that nothing has to be done; told once.
    package func introduction(of answer: MemberReplaceResponse) -> String? {
        let (old, id) = (String(self.old, radix: 16), String(answer.newID, radix: 16))
        switch answer.state {
        case .added, .catchingUp:
            return """
                Member \(id) is to replace member \(old), and is a learner until then. Start it with:

                ETCD_NAME="\(name)"
                ETCD_INITIAL_CLUSTER="\(initialCluster(answer).joined(separator: ","))"
                ETCD_INITIAL_ADVERTISE_PEER_URLS="\(peerURLs.joined(separator: ","))"
                ETCD_INITIAL_CLUSTER_STATE="existing"

                """
        case .changing: return nil
        case .done: return "Member \(old) is not in the cluster, and member \(id) votes: there is nothing to do."
        }
    }

    /// Those that stay and have told their names, and the new member: where it asks who it is.
    private func initialCluster(_ answer: MemberReplaceResponse) -> [String] {
        let others = answer.members.filter { $0.id != old && $0.id != answer.newID && !$0.name.isEmpty }
        let urls = others.flatMap { member in member.peerURLs.map { "\(member.name)=\($0)" } }
        return urls + peerURLs.map { "\(name)=\($0)" }
    }

    /// How far it is, in a line.
    package func progress(of answer: MemberReplaceResponse) -> String {
        let (old, id) = (String(self.old, radix: 16), String(answer.newID, radix: 16))
        switch answer.state {
        case .added: return "waiting for member \(id) to start"
        case .catchingUp:
            guard answer.matched > 0 else {
                return answer.isInTouch ? "member \(id) receives a snapshot" : "waiting for member \(id) to start"
            }
            let percent = answer.last == 0 ? 100 : min(answer.matched, answer.last) * 100 / answer.last
            return "catching up: \(answer.matched) of \(answer.last) entries (\(percent) %)"
        case .changing: return "changing the membership"
        case .done: return "Member \(old) is replaced by member \(id)"
        }
    }
}
