internal import StrakeRaft

/// What only the writer knows: the end of the log.
struct LogWriter: ~Copyable {
    var encoder = RecordEncoder()
    var segment: Segment
    /// Where the next record goes.
    var position: Int
    /// End of the segment's first records.
    var begin: Int
    /// Checksum of the last record.
    var checksum: UInt32
    /// Everything before this byte of the segment is synced.
    var synced: Int
    var last: EntryID
    var hardState: HardState
    /// As appended; it may not be synced yet.
    var snapshot: SnapshotMetadata?

    init(
        encoder: consuming RecordEncoder, segment: Segment, begin: Int, position: Int, checksum: UInt32, last: EntryID,
        hardState: HardState, snapshot: SnapshotMetadata?
    ) {
        self.encoder = encoder
        self.segment = segment
        self.begin = begin
        self.position = position
        self.checksum = checksum
        synced = position
        self.last = last
        self.hardState = hardState
        self.snapshot = snapshot
    }

    /// Stops at a batch that Raft never asks for: written, it would make a log that does not open.
    func check(_ entries: [Entry], _ state: HardState) {
        var previous = last
        if let first = entries.first {
            precondition(
                first.index > hardState.committed && first.index <= last.index + 1,
                "entry \(first.id) after \(last), committed \(hardState.committed)")
            previous = EntryID(term: .zero, index: first.index - 1)
        }
        for entry in entries {
            precondition(
                entry.index == previous.index + 1 && entry.term >= previous.term, "entry \(entry.id) after \(previous)")
            previous = entry.id
        }
        precondition(
            state.term >= previous.term && state.term >= hardState.term && state.committed >= hardState.committed
                && state.committed <= previous.index,
            "hard state \(state) after \(hardState) with last entry \(previous)")
    }

    mutating func take(_ begun: SegmentMaker.BegunSegment) {
        segment = begun.segment
        begin = begun.position
        position = begun.position
        synced = begun.position
        checksum = begun.checksum
    }
}
