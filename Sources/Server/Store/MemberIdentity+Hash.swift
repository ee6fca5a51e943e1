package import StrakeLog
package import StrakeRaft

extension MemberIdentity {
    /// The ids of a member that starts a new cluster, alone or with others. They follow from what the operator wrote, so
    /// that all members come to the same ones, and one that lost its data comes back with the ids it had.
    package init(founding options: StoreOptions) {
        let members = options.initialMembers.isEmpty ? [options.asInitialMember] : options.initialMembers
        // Its own among them, by its URLs: the same name may not stand there.
        let own = FNV1a.member(options.peerURLs, token: options.clusterToken)
        let sorted = members.map { (id: FNV1a.member($0.peerURLs, token: options.clusterToken), urls: $0.peerURLs) }
            .sorted { $0.id < $1.id }
        var hash = FNV1a()
        for member in sorted { hash.add(urls: member.urls) }
        hash.add(options.clusterToken)
        hash.add("cluster")
        self.init(cluster: hash.nonZero, member: MemberID(rawValue: own))
    }
}

extension InitialMember {
    /// The id it has in a new cluster.
    package func id(token: String) -> MemberID { MemberID(rawValue: FNV1a.member(peerURLs, token: token)) }
}

extension StoreOptions {
    var asInitialMember: InitialMember { InitialMember(name: name, peerURLs: peerURLs) }
}

/// FNV-1a over strings, each closed by a zero byte: ids need to be spread out, not secret.
private struct FNV1a {
    private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    /// Zero names nobody.
    var nonZero: UInt64 { value == 0 ? 1 : value }

    static func member(_ urls: [String], token: String) -> UInt64 {
        var hash = FNV1a()
        hash.add(urls: urls)
        hash.add(token)
        return hash.nonZero
    }

    mutating func add(urls: [String]) {
        for url in urls.sorted() { add(url) }
    }

    mutating func add(_ text: String) {
        for byte in text.utf8 { add(byte) }
        add(0)
    }

    private mutating func add(_ byte: UInt8) {
        value = (value ^ UInt64(byte)) &* 0x100_0000_01b3
    }
}
