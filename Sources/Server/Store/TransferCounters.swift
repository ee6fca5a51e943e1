package import Synchronization

/// What became of the snapshots to one member, or from it, for metrics. Anyone may read it without a lock.
package final class TransferCounters: Sendable {
    package let successes = Atomic<UInt64>(0)
    package let failures = Atomic<UInt64>(0)
    /// Streams under way.
    package let inFlight = Atomic<Int>(0)
    /// Of the streams that came to a good end, in the buckets of etcd's histograms.
    package let times = Histogram(firstBound: 0.1, count: 10)

    package init() {}

    /// There was a stream.
    package var isUsed: Bool {
        successes.load(ordering: .relaxed) > 0 || failures.load(ordering: .relaxed) > 0
            || inFlight.load(ordering: .relaxed) > 0
    }

    package func begin() { inFlight.add(1, ordering: .relaxed) }

    package func succeed(nanoseconds: UInt64) {
        inFlight.subtract(1, ordering: .relaxed)
        successes.add(1, ordering: .relaxed)
        times.record(nanoseconds)
    }

    package func fail() {
        inFlight.subtract(1, ordering: .relaxed)
        failures.add(1, ordering: .relaxed)
    }
}
