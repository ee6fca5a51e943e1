package import StrakeRaft
internal import Synchronization

extension DurableLog {
    /// Whether a roll would have to wait for `prepareNextSegment`. Ask after appending.
    package var wantsNextSegment: Bool { shared.withLock { $0.spare == nil && $0.failure == nil } }

    /// Makes the file for the next segment, so that no append waits for its zeros. Does nothing if there is one.
    ///
    /// - Throws: a full disk does not end the log, which still has the rest of its segment. Any other failure does.
    package func prepareNextSegment() throws(LogError) {
        try withHousekeeping { (recyclable) throws(DiskError) in
            guard wantsNextSegment else { return }
            let spare = if let path = recyclable.popLast() { try maker.reuse(path) } else { try maker.makeSpare() }
            shared.withLock { $0.spare = spare }
        }
    }

    /// Says what the state machine holds durably, and removes segments that are not needed any more: those wholly below
    /// the last synced mark less `retainedEntries`, and below `last`, which somebody may set who needs more.
    ///
    /// The mark is written with the next batch, so the segments that it frees go when this is called after that
    /// batch was synced: with the next checkpoint.
    ///
    /// - Returns: how many segments went.
    @discardableResult
    package func truncatePrefix(
        through checkpoint: SnapshotMetadata, last: LogIndex = LogIndex(rawValue: .max)
    ) throws(LogError) -> Int {
        var removed = 0
        try withHousekeeping { (recyclable) throws(DiskError) in
            let segments = shared.withLock {
                $0.detachSegments(checkpoint, retained: options.retainedEntries, last: last)
            }
            removed = segments.count
            guard removed > 0 else { return }
            var recycled: [String] = []
            // Oldest first, so that what is left never has a gap.
            for segment in segments {
                let isFree = segment.readers.load(ordering: .acquiring) == 0
                if isFree && recyclable.count + recycled.count < options.sparesMax {
                    let path = maker.spareName()
                    try disk.rename(segment.path, to: path)
                    recycled.append(path)
                } else {
                    try disk.remove(segment.path)
                }
            }
            // Before a byte of them changes: a power cut must not bring back the old name with new bytes.
            try disk.syncDirectory(directory)
            recyclable += recycled
        }
        return removed
    }

    /// Runs `body` unless another thread is at it: then there is nothing to do, or it is done with the next call.
    private func withHousekeeping(_ body: (inout [String]) throws(DiskError) -> Void) throws(LogError) {
        try shared.withLock { (shared) throws(LogError) in try shared.check() }
        do {
            _ = try housekeeping.withLockIfAvailable { (recyclable) throws(DiskError) in try body(&recyclable) }
        } catch {
            if !error.isDiskFull { shared.withLock { $0.fail(.disk(error)) } }
            throw .disk(error)
        }
    }
}

extension SharedState {
    /// Notes the mark for the next batch and takes the segments off the list that nobody needs any more.
    fileprivate mutating func detachSegments(
        _ checkpoint: SnapshotMetadata, retained: UInt64, last: LogIndex
    ) -> [Segment] {
        let known = (pendingMark ?? snapshot)?.last.index ?? .zero
        if checkpoint.last.index > known {
            precondition(
                index.term(at: checkpoint.last.index) == checkpoint.last.term,
                "checkpoint \(checkpoint.last) is not in the log \(index.start) ... \(index.last)")
            pendingMark = checkpoint
        }
        guard !hasUnsyncedCut, let mark = snapshot?.last.index, mark.rawValue > retained else { return [] }
        let count = index.removable(of: segments.map(\.sequence), through: min(mark - retained, last))
        guard count > 0 else { return [] }
        index.removeSegments(through: segments[count - 1].sequence)
        let detached = Array(segments[..<count])
        segments.removeFirst(count)
        return detached
    }
}
