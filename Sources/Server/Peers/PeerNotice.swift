package import StrakeRaft

/// Something an operator should know of the connections between members. Each is told once, until it changes.
package enum PeerNotice: Hashable, Sendable {
    case connected(MemberID, StreamKind)
    /// A connection ended that had been made.
    case disconnected(MemberID, StreamKind, String)
    /// No connection to the member can be made.
    case unreachable(MemberID, url: String, String)
    /// A member, or what is at its URL, does not take the connection.
    case refusedBy(MemberID, url: String, Refusal)
    /// Somebody connected and was not let in.
    case refused(address: String, Refusal)
    /// Somebody connected who is no member at all.
    case stranger(address: String, String)
    case badURL(MemberID, String)
    /// A message that no frame can hold.
    case oversized(MemberID, bytes: Int, max: Int)
    case snapshotSent(MemberID, bytes: Int)
    case snapshotReceived(MemberID, bytes: Int)
    /// On its way to this member. Of one on its way out the store tells, which knows when it is tried again.
    case snapshotFailed(MemberID, String)
}

extension PeerNotice: CustomStringConvertible {
    package var description: String {
        switch self {
        case .connected(let member, let stream): "connected to member \(member) (\(stream))"
        case .disconnected(let member, let stream, let reason):
            "lost the connection to member \(member) (\(stream)): \(reason)"
        case .unreachable(let member, let url, let reason): "cannot reach member \(member) at \(url): \(reason)"
        case .refusedBy(let member, let url, let refusal): "no connection to member \(member) at \(url): \(refusal)"
        case .refused(let address, let refusal): "refused a connection from \(address): \(refusal)"
        case .stranger(let address, let what): "refused a connection from \(address): \(what)"
        case .badURL(let member, let problem): "member \(member): \(problem)"
        case .oversized(let member, let bytes, let max):
            "a message of \(bytes) bytes for member \(member) is above the bound of \(max) and was not sent"
        case .snapshotSent(let member, let bytes): "sent a snapshot of \(bytes) bytes to member \(member)"
        case .snapshotReceived(let member, let bytes): "received a snapshot of \(bytes) bytes from member \(member)"
        case .snapshotFailed(let member, let reason): "a snapshot from member \(member) failed: \(reason)"
        }
    }
}

/// Tells a thing once: the same about the same subject again is kept back until something else is said of it.
struct NoticeFilter {
    /// Subjects remembered; at the bound all are forgotten, and may be told once more.
    static let subjectsMax = 256

    private var last: [String: PeerNotice] = [:]

    /// Whether the notice is news.
    mutating func admits(_ notice: PeerNotice, about subject: String) -> Bool {
        if last[subject] == notice { return false }
        if last.count >= Self.subjectsMax { last.removeAll() }
        last[subject] = notice
        return true
    }

    mutating func forget(_ subject: String) { last[subject] = nil }
}
