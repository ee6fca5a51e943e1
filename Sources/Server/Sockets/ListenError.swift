internal import NIOCore

/// Why a port could not be opened: a sentence for the operator.
package struct ListenError: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }

    /// - Parameter attempt: What was tried, such as "cannot listen on 127.0.0.1:2379".
    package init(_ attempt: String, _ error: any Error) {
        description = "\(attempt): \(Self.reason(of: error))"
    }

    /// In the words of etcd's own messages, which scripts look for.
    private static func reason(of error: any Error) -> String {
        guard let io = error as? IOError else { return "\(error)" }
        switch io.errnoCode {
        case 98: return "address already in use"
        case 13: return "permission denied"
        case 99: return "cannot assign requested address"
        default: return io.description
        }
    }
}
