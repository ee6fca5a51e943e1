package import StrakeRaft

/// Whose data this is. It stands in the data directory and in every segment, so that files cannot change hands by mistake.
package struct MemberIdentity: Hashable, Sendable {
    package var cluster: UInt64
    package var member: MemberID

    package init(cluster: UInt64, member: MemberID) {
        self.cluster = cluster
        self.member = member
    }
}

extension MemberIdentity: CustomStringConvertible {
    package var description: String { "member \(member) of cluster \(String(cluster, radix: 16))" }
}
