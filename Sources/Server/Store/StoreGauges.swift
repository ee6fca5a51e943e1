package import StrakeModel
internal import StrakeRaft
internal import StrakeReplication
internal import StrakeStateMachine
package import Synchronization

/// Numbers that anyone may look at without a lock: for `Status`, metrics and the limits before a proposal.
package final class StoreGauges: Sendable {
    package let term = Atomic<UInt64>(0)
    package let leader = Atomic<UInt64>(0)
    package let isLearner = Atomic(false)
    /// The CORRUPT alarm names this member.
    package let isQuarantined = Atomic(false)
    /// Rounds in which this leader compared its state with the others'.
    package let digestComparisons = Atomic<UInt64>(0)
    /// Heartbeats of this leader that came more than two intervals after the one before, counted for each member.
    package let lateHeartbeats = Atomic<UInt64>(0)
    /// Learners that this leader has made voters.
    package let promotions = Atomic<UInt64>(0)
    private let failedPromotions = Mutex<[StoreError: UInt64]>([:])
    /// A received snapshot is taking the store's place.
    package let isInstalling = Atomic(false)
    /// Of the keys and values that were put.
    package let putBytes = Atomic<UInt64>(0)
    /// How long it takes to read the whole state for a client.
    package let backupTimes = Histogram(firstBound: 0.01, count: 17)
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
    /// That exist.
    package let leases = Atomic<Int>(0)
    /// Seconds that leases were granted for.
    package let leaseTTLs = Histogram(firstBound: 1, count: 24, perUnit: 1)
    /// Bytes appended to the log, and the time that appending took.
    package let logBytes = Atomic<UInt64>(0)
    package let logWrites = Histogram()
    /// Flushes of the log, checkpoints, and batches applied.
    package let logSyncs = Histogram()
    package let checkpointTimes = Histogram()
    /// Of a checkpoint's transactions: writing the changed pages, and their sync.
    package let checkpointCommits = Histogram()
    /// Snapshots of other members that became whole: from the first piece to the end of the sync, and from the last
    /// piece to there.
    package let snapshotSaves = Histogram(firstBound: 0.1, count: 10)
    package let snapshotSyncs = Histogram()
    package let applies = Histogram(firstBound: 0.000_1, count: 20)
    package let applyTimes = ApplyTimes()
    /// Batches that took longer than the options allow.
    package let slowApplies = Atomic<UInt64>(0)
    /// Physical compaction: events removed, milliseconds of one slice and of a whole compaction, and when the last one
    /// ended in seconds since 1970, 0 before the first.
    package let eventsCompacted = Atomic<UInt64>(0)
    package let compactionSlices = Histogram(firstBound: 1, count: 13, perUnit: 1e6)
    package let compactions = Histogram(firstBound: 100, count: 14, perUnit: 1e6)
    package let lastCompaction = Atomic<Int>(0)
    /// Bytes in the layers that are not in LMDB yet.
    package let layerBytes = Atomic<Int>(0)
    /// LMDB's pages in use, in bytes, as of the last checkpoint.
    package let pageBytes = Atomic<Int>(0)
    /// Size of LMDB's file, as of the last checkpoint.
    package let fileBytes = Atomic<Int>(0)
    package let checkpoints = Atomic<UInt64>(0)
    /// What the scrub has read, and how often it has read all.
    package let scrubbedBytes = Atomic<UInt64>(0)
    package let scrubs = Atomic<UInt64>(0)

    func record(_ replica: borrowing Replica) {
        term.store(replica.node.term.rawValue, ordering: .relaxed)
        leader.store(replica.node.leader?.rawValue ?? 0, ordering: .relaxed)
        committed.store(replica.node.committed.rawValue, ordering: .relaxed)
        applied.store(replica.node.applied.rawValue, ordering: .relaxed)
    }

    /// - Parameter nanoseconds: From the start of applying the batch to its publication.
    func record(_ result: ApplyResult, nanoseconds: UInt64, isSlow: Bool) {
        applies.record(nanoseconds)
        applyTimes.record(result.commands, nanoseconds: nanoseconds)
        if isSlow { slowApplies.add(1, ordering: .relaxed) }
        proposalsApplied.add(UInt64(result.applied), ordering: .relaxed)
        proposalsFailed.add(UInt64(result.failed), ordering: .relaxed)
        events.add(UInt64(result.events), ordering: .relaxed)
        putBytes.add(UInt64(result.putBytes), ordering: .relaxed)
        layerBytes.store(result.layerBytes, ordering: .relaxed)
        leases.store(result.leases, ordering: .relaxed)
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

    /// A change of members that this leader was asked for has come to its end.
    func record(_ change: MembershipChange, _ answer: PeerAnswer) {
        guard case .promote = change else { return }
        if case .refused(let error) = answer {
            failedPromotions.withLock { $0[error, default: 0] += 1 }
        } else {
            promotions.add(1, ordering: .relaxed)
        }
    }

    /// Promotions that were refused, by reason.
    package var promotionFailures: [StoreError: UInt64] { failedPromotions.withLock { $0 } }

    func countLeaderChange(_ hasLeader: Bool) {
        if hasLeader { leaderChanges.add(1, ordering: .relaxed) }
    }
}
