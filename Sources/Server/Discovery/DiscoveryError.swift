/// Why a member cannot find its cluster, and should not try again; etcd's words.
package enum DiscoveryError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Nobody has written how many members the cluster has.
    case sizeNotFound(key: String)
    case badSize(key: String)
    /// As many others as there is room for came before this member.
    case full(size: Int)
    /// The discovery service does not let this user in.
    case refused(String)
    /// The endpoints or files cannot be used.
    case unusable(String)

    package var description: String {
        switch self {
        case .sizeNotFound(let key): Self.joining("discovery: size key not found", "write it to \(key)")
        case .badSize(let key): Self.joining("discovery: size key is bad", "\(key) must hold a number above 0")
        case .full(let size): Self.joining("discovery: cluster is full", "\(size) others have registered before")
        case .refused(let reason), .unusable(let reason): "failed to join discovery cluster (\(reason))"
        }
    }

    private static func joining(_ words: String, _ advice: String) -> String {
        "failed to join discovery cluster (\(words)): \(advice)"
    }
}
