internal import StrakeRaft

/// What the writer, housekeeping and readers share, under a lock that is held for bookkeeping only.
struct SharedState: Sendable {
    /// Ends the log.
    var failure: LogError?
    var index: EntryIndex
    /// Ascending; the last one is written to.
    var segments: [Segment]
    var hardState: HardState
    /// The last mark that is synced.
    var snapshot: SnapshotMetadata?
    /// A mark that the next batch takes along.
    var pendingMark: SnapshotMetadata?
    /// Entries were superseded by a batch that is not synced. A power cut may bring them back, so the segments that hold
    /// them have to stay.
    var hasUnsyncedCut = false
    /// Ready for the next roll.
    var spare: SpareFile?

    init(index: EntryIndex, segments: [Segment], hardState: HardState, snapshot: SnapshotMetadata?) {
        self.index = index
        self.segments = segments
        self.hardState = hardState
        self.snapshot = snapshot
    }

    func check() throws(LogError) {
        if let failure { throw failure }
    }

    mutating func fail(_ error: LogError) {
        if failure == nil { failure = error }
    }
}
