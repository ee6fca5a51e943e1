package import StrakeLog
internal import StrakeRaft

extension MemberIdentity {
    /// The ids of a cluster of one that starts for the first time. Both follow from what the operator wrote, so that a
    /// member which lost its data comes back with the ids it had.
    package init(founding options: StoreOptions) {
        var hash = FNV1a()
        for url in options.peerURLs.sorted() { hash.add(url) }
        hash.add(options.clusterToken)
        let member = hash.value == 0 ? 1 : hash.value
        hash.add("cluster")
        self.init(cluster: hash.value == 0 ? 1 : hash.value, member: MemberID(rawValue: member))
    }
}

/// FNV-1a over strings, each closed by a zero byte: ids need to be spread out, not secret.
private struct FNV1a {
    private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func add(_ text: String) {
        for byte in text.utf8 { add(byte) }
        add(0)
    }

    private mutating func add(_ byte: UInt8) {
        value = (value ^ UInt64(byte)) &* 0x100_0000_01b3
    }
}
