/// Limits and intervals of the client API. Everything has etcd's default.
package struct ServiceOptions: Sendable {
    /// What a request may take beyond `requestBytesMax` on the wire, for framing and metadata (etcd's allowance).
    static let requestOverheadBytes = 512 * 1_024

    /// What the answer of a transaction that only reads may take. It is built whole, as etcd's is, and can hold the same
    /// range as often as there are operations.
    static let txnAnswerBytesMax = 512 << 20

    package var requestBytesMax = 1_536 * 1_024
    package var txnOperationsMax = 128
    package var concurrentStreamsMax: UInt32 = .max
    package var progressNotifyMilliseconds: Int64 = 600_000
    /// Event loops; 0: one for each core.
    package var threads = 0
    /// What the version endpoint and `Status` report.
    package var version = "3.7.1"
    package var clusterVersion = "3.7.0"

    /// What went to and came from the other members, for metrics.
    package var peerFigures: @Sendable () -> [PeerFigures] = { [] }

    package init() {}
}
