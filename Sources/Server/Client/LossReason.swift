internal import NIOCore
internal import NIOPosix
internal import StrakeSockets
internal import StrakeTLS

/// Why a connection was not made, or was lost.
enum LossReason {
    /// A few words, for any error.
    static func text(of error: any Error) -> String {
        switch error {
        case is IOError, is NIOConnectionError, is ChannelError: ConnectFailure.reason(of: error)
        default: TLSFailure.reason(of: error)
        }
    }
}
