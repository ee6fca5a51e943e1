internal import StrakeCredentials
package import StrakeJWT
internal import StrakeMVCC
package import StrakeTLS

/// Limits and intervals of the client API. Everything has etcd's default.
package struct ServiceOptions: Sendable {
    /// What a request may take beyond `requestBytesMax` on the wire, for framing and metadata (etcd's allowance).
    static let requestOverheadBytes = 512 * 1_024

    /// What the answer of a transaction that only reads may take. It is built whole, as etcd's is, and can hold the same
    /// range as often as there are operations.
    static let txnAnswerBytesMax = RevisionStore.txnAnswerBytesMax

    package var requestBytesMax = 1_536 * 1_024
    package var txnOperationsMax = 128
    package var concurrentStreamsMax: UInt32 = .max
    /// Of new password hashes: each step up doubles the time.
    package var bcryptCost = Bcrypt.costDefault
    package static var bcryptCosts: ClosedRange<Int> { Bcrypt.costs }
    /// Tokens are signed and not remembered; nil: they are.
    package var jwt: JWT?
    package var progressNotifyMilliseconds: Int64 = 600_000
    /// Clients that send pings faster than this are sent away.
    package var pingIntervalMinMilliseconds: Int64 = 5_000
    /// A client that was silent for so long is sent a ping, and cut off if it does not answer in time.
    package var pingMilliseconds: Int64 = 7_200_000
    package var pingTimeoutMilliseconds: Int64 = 20_000
    /// Unary calls that take longer are told; not above 0: none.
    package var slowRequestMilliseconds: Int64 = 300
    /// How long calls took is served by method, in gRPC's buckets too.
    package var hasExtensiveMetrics = false
    /// Several processes may listen on the same port.
    package var reusesPort = false
    /// Event loops; 0: one for each core.
    package var threads = 0
    /// What the version endpoint and `Status` report.
    package var version = "3.7.1"
    package var clusterVersion = "3.7.0"

    /// Whether there is a JSON gateway.
    package var servesGateway = true
    /// Origins whose pages may read answers, and names that a `Host` header may have; `*` is any.
    package var corsOrigins: Set<String> = ["*"]
    package var hostWhitelist: Set<String> = ["*"]
    /// The longest JSON request: base64 makes a third more of it, and names and spaces come to that.
    var gatewayBodyBytesMax: Int { 2 * (requestBytesMax + Self.requestOverheadBytes) }

    /// The command line that /debug/vars shows, without secrets; nil: that path is not served.
    package var shownArguments: [String]?

    /// What went to and came from the other members, for metrics.
    package var peerFigures: @Sendable () -> [PeerFigures] = { [] }

    /// Told of slow calls, on event loops: must not wait.
    package var onSlowRequest: @Sendable (SlowRequest) -> Void = { _ in }
    /// For the addresses that are protected.
    package var tls: TLSServer?
    /// Who shows a certificate and no token is the user with the certificate's common name. Only of use where every client
    /// has to show one of a trusted authority.
    package var certificatesNameUsers = false
    /// Told of whoever was not let in.
    package var onRejected: @Sendable (RejectedConnection) -> Void = { _ in }

    package init() {}
}

/// Unary calls of one method that came together and took long.
package struct SlowRequest: Sendable {
    package var method: String
    package var nanoseconds: UInt64
    package var count: UInt64
}
