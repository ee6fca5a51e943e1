package import StrakeModel
internal import StrakeRaft
internal import StrakeReplication
package import Synchronization

/// Numbers that anyone may look at without a lock: for `Status`, metrics and the limits before a proposal.
package final class StoreGauges: Sendable {
    package let term = Atomic<UInt64>(0)
    package let leader = Atomic<UInt64>(0)
    package let committed = Atomic<UInt64>(0)
    package let applied = Atomic<UInt64>(0)
    package let leaderChanges = Atomic<UInt64>(0)
    package let proposalsApplied = Atomic<UInt64>(0)
    package let proposalsFailed = Atomic<UInt64>(0)
    package let events = Atomic<UInt64>(0)
    package let puts = Atomic<UInt64>(0)
    package let deletes = Atomic<UInt64>(0)
    package let ranges = Atomic<UInt64>(0)
    package let txns = Atomic<UInt64>(0)
    package let leasesGranted = Atomic<UInt64>(0)
    package let leasesRevoked = Atomic<UInt64>(0)
    package let leasesExpired = Atomic<UInt64>(0)
    /// Flushes of the log, checkpoints, and batches applied.
    package let logSyncs = DurationHistogram()
    package let checkpointTimes = DurationHistogram()
    package let applies = DurationHistogram(firstBound: 0.0001, count: 20)
    /// Bytes in the layers that are not in LMDB yet.
    package let layerBytes = Atomic<Int>(0)
    /// LMDB's pages in use, in bytes, as of the last checkpoint.
    package let pageBytes = Atomic<Int>(0)
    /// Size of LMDB's file, as of the last checkpoint.
    package let fileBytes = Atomic<Int>(0)
    package let checkpoints = Atomic<UInt64>(0)

    func record(_ replica: borrowing Replica) {
        term.store(replica.node.term.rawValue, ordering: .relaxed)
        leader.store(replica.node.leader?.rawValue ?? 0, ordering: .relaxed)
        committed.store(replica.node.committed.rawValue, ordering: .relaxed)
        applied.store(replica.node.applied.rawValue, ordering: .relaxed)
    }

    func record(_ result: ApplyResult) {
        proposalsApplied.add(UInt64(result.applied), ordering: .relaxed)
        proposalsFailed.add(UInt64(result.failed), ordering: .relaxed)
        events.add(UInt64(result.events), ordering: .relaxed)
        layerBytes.store(result.layerBytes, ordering: .relaxed)
        let counts = result.counts
        puts.add(UInt64(counts.puts), ordering: .relaxed)
        deletes.add(UInt64(counts.deletes), ordering: .relaxed)
        ranges.add(UInt64(counts.ranges), ordering: .relaxed)
        txns.add(UInt64(counts.txns), ordering: .relaxed)
        leasesGranted.add(UInt64(counts.leasesGranted), ordering: .relaxed)
        leasesRevoked.add(UInt64(counts.leasesRevoked), ordering: .relaxed)
        leasesExpired.add(UInt64(counts.leasesExpired), ordering: .relaxed)
    }

    /// A transaction that only read, and so was not applied.
    package func recordRead(_ response: TxnResponse) {
        var counts = OperationCounts()
        counts.count(response)
        ranges.add(UInt64(counts.ranges), ordering: .relaxed)
        txns.add(UInt64(counts.txns), ordering: .relaxed)
    }

    func countLeaderChange(_ hasLeader: Bool) {
        if hasLeader { leaderChanges.add(1, ordering: .relaxed) }
    }
}
