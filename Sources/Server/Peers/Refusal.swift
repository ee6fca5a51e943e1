package import StrakeRaft

/// Why a connection between two programs was not made, with what an operator needs to find the mistake.
package enum Refusal: Hashable, Sendable {
    case version(theirs: UInt16)
    case cluster(theirs: UInt64, ours: UInt64)
    /// The connection was for `wanted`, and reached `found`.
    case member(wanted: MemberID, found: MemberID)
    case removed(MemberID)
    case busy
    /// What it said makes no sense; a clause about it.
    case malformed(String)
}

extension Refusal: CustomStringConvertible {
    package var description: String {
        switch self {
        case .version(let theirs):
            "it speaks version \(theirs) of the peer protocol, this member version \(HandshakeHead.version)"
        case .cluster(let theirs, let ours):
            "it belongs to cluster \(String(theirs, radix: 16)), this member to cluster \(String(ours, radix: 16))"
        case .member(let wanted, let found):
            "the connection was meant for member \(wanted), but reached member \(found)"
        case .removed(let member): "member \(member) was removed from the cluster"
        case .busy: "there are too many connections already"
        case .malformed(let problem): problem
        }
    }
}

extension HelloAnswer {
    /// What a refusal means to the one that connected; nil when there is none.
    func refusal(of hello: Hello) -> Refusal? {
        switch verdict {
        case .accepted: nil
        case .unknownVersion: .version(theirs: version)
        case .wrongCluster: .cluster(theirs: cluster, ours: hello.cluster)
        case .wrongMember: .member(wanted: hello.to, found: member)
        case .removed: .removed(hello.from)
        case .busy: .busy
        case .malformed: .malformed("it does not understand the greeting")
        }
    }
}
