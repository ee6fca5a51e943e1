internal import Glibc
internal import NIOCore
internal import NIOPosix

/// Why a connection could not be made, or was lost.
package enum ConnectFailure {
    /// A few words for the operator.
    package static func reason(of error: any Error) -> String {
        switch error {
        case let error as NIOConnectionError:
            // Each address of the name was tried. What the last one said is what the others did, most often.
            if let last = error.connectionErrors.last { return reason(of: last.error) }
            return "no address is known for \(error.host)"
        case let error as IOError: return String(cString: strerror(error.errnoCode))
        case ChannelError.connectTimeout(_): return "nobody answers"
        default: return "\(error)"
        }
    }
}
