/// What a client does, told as it happens, to whoever looks for what goes wrong.
///
/// Nothing of a request or of an answer is in it: no key or value, no password or token.
package enum ClientEvent: Hashable, Sendable {
    case connecting(endpoint: String)
    case connected(endpoint: String)
    case notConnected(endpoint: String, reason: String)
    /// It takes no more calls.
    case disconnected(endpoint: String)
    /// A call is made, or a stream opened.
    case called(method: String, endpoint: String)
    /// Nil: with status OK.
    case ended(method: String, endpoint: String, error: StrakeClientError?)
}

extension ClientEvent: CustomStringConvertible {
    package var description: String {
        switch self {
        case .connecting(let endpoint): "connecting to \(endpoint)"
        case .connected(let endpoint): "connected to \(endpoint)"
        case .notConnected(let endpoint, let reason): "not connected to \(endpoint): \(reason)"
        case .disconnected(let endpoint): "disconnected from \(endpoint)"
        case .called(let method, let endpoint): "calling \(method) of \(endpoint)"
        case .ended(let method, let endpoint, nil): "\(method) of \(endpoint) ended well"
        case .ended(let method, let endpoint, let error?): "\(method) of \(endpoint) ended: \(error)"
        }
    }
}
