internal import StrakeMVCC
internal import Synchronization

/// Measures physical compactions, which take several slices with checkpoints in between.
struct CompactionTimer {
    /// When the first slice of the compaction that is under way began.
    private var start: UInt64?

    /// Takes note of a slice that has just ended.
    ///
    /// - Returns: What the whole compaction took, if this was the last of it.
    mutating func record(_ slice: Compactor.Slice, began: UInt64, in gauges: StoreGauges) -> UInt64? {
        let now = MonotonicClock.nanoseconds
        gauges.compactionSlices.record(now - began)
        gauges.eventsCompacted.add(UInt64(slice.removedCount), ordering: .relaxed)
        let start = start ?? began
        self.start = start
        // What is held back for readers is another compaction, which begins when they have ended.
        guard slice.progress != .unfinished else { return nil }
        gauges.compactions.record(now - start)
        gauges.lastCompaction.store(WallClock.seconds, ordering: .relaxed)
        self.start = nil
        return slice.progress == .finished ? now - start : nil
    }
}
