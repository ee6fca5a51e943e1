package import StrakeStore
package import Synchronization

/// What went to and came from one member, for metrics. Anyone may read it without a lock.
package final class PeerCounters: Sendable {
    package let bytesSent = Atomic<UInt64>(0)
    package let bytesReceived = Atomic<UInt64>(0)
    /// Messages that were given up.
    package let sendFailures = Atomic<UInt64>(0)
    /// The urgent stream to it is there.
    package let isConnected = Atomic(false)
    /// Times that the urgent stream was lost.
    package let disconnections = Atomic<UInt64>(0)
    /// Snapshots to it, and from it.
    package let snapshotsSent = TransferCounters()
    package let snapshotsReceived = TransferCounters()
    /// From a ping to its answer, on the urgent stream, in the buckets of etcd's round trip histogram.
    package let roundTrips = Histogram(firstBound: 0.0001, count: 16)
}
