package import StrakeRaft
internal import Synchronization

extension DurableLog {
    /// The term of the entry at `index`, also of the one just before the first. Reads no file.
    package func term(at index: LogIndex) throws(LogError) -> Term {
        try shared.withLock { (shared) throws(LogError) in
            try shared.check()
            if let term = shared.index.term(at: index) { return term }
            throw shared.missing(index)
        }
    }

    /// The entries from `from` through `through`, as many as take at most `limitBytes` on disk, but at least one.
    ///
    /// - Throws: `.compacted` below `firstIndex`, `.unavailable` above `lastIndex`.
    package func entries(
        from: LogIndex, through: LogIndex, limitBytes: Int
    ) throws(LogError) -> [Entry] {
        precondition(from <= through, "entries from \(from) through \(through)")
        let slices = try shared.withLock { (shared) throws(LogError) in
            try shared.pin(from: from, through: through, limitBytes: limitBytes)
        }
        defer {
            for (segment, _) in slices { segment.readers.subtract(1, ordering: .releasing) }
        }
        var entries: [Entry] = []
        for (segment, slice) in slices { try read(slice, in: segment, into: &entries) }
        return entries
    }

    /// What raft asks for. None when they are gone, as a lagging member's are: raft then sends a snapshot. What cannot be
    /// read for another reason is damage or a failed disk, and nobody may go on from there.
    package func entries(for read: LogRead) throws(LogError) -> [Entry] {
        do throws(LogError) {
            return try entries(from: read.from, through: read.through, limitBytes: read.bytesMax)
        } catch {
            if case .compacted = error { return [] }
            throw error
        }
    }

    /// Goes through the entries from `index` to the end that the log has now, a few at a time.
    package func cursor(from index: LogIndex) -> EntryCursor {
        EntryCursor(log: self, next: index, last: lastIndex)
    }

    /// Verifies each record again: what was whole when the log was opened may have gone bad since.
    private func read(
        _ slice: EntryIndex.Slice, in segment: Segment, into entries: inout [Entry]
    ) throws(LogError) {
        // Four bytes earlier: there is the checksum that the first record's goes on from.
        let base = slice.bytes.lowerBound - 4
        let count = slice.bytes.upperBound - base
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 16)
        defer { buffer.deallocate() }
        let got = try segment.read(into: buffer, at: base)
        var position = 4
        func corrupt(_ problem: LogCorruption.Problem) -> LogError {
            .corrupt(LogCorruption(path: segment.path, offset: base + position, problem: problem))
        }
        guard got == count else { throw corrupt(.truncated(expectedBytes: base + count, foundBytes: base + got)) }
        entries.reserveCapacity(entries.count + slice.count)
        let bytes = UnsafeRawBufferPointer(buffer)
        var next = slice.first
        do throws(LogCorruption.Problem) {
            while position < count {
                let record = try ScannedRecord(verifying: bytes, at: position, salt: segment.salt)
                if record.header.type == RecordType.entry.rawValue {
                    let entry = try RecordPayload.entry(record.payload, kind: record.header.entryKind)
                    guard entry.index == next else { throw .content("entry \(entry.id) lies where \(next) was") }
                    entries.append(entry)
                    next = next + 1
                }
                position = record.bytes.upperBound
            }
        } catch { throw corrupt(error) }
        precondition(next == slice.first + UInt64(slice.count), "\(slice) ends before \(next)")
    }
}

extension SharedState {
    fileprivate func missing(_ requested: LogIndex) -> LogError {
        requested <= index.start.index
            ? .compacted(requested: requested, firstIndex: index.start.index + 1)
            : .unavailable(requested: requested, lastIndex: index.last.index)
    }

    /// Where the entries lie. The segments are not used anew before their count of readers is back at zero.
    fileprivate func pin(
        from: LogIndex, through: LogIndex, limitBytes: Int
    ) throws(LogError) -> [(Segment, EntryIndex.Slice)] {
        try check()
        guard from > index.start.index else { throw missing(from) }
        guard through <= index.last.index else { throw missing(through) }
        return index.slices(from: from, through: through, limitBytes: limitBytes).map { slice in
            let position = segments.partitioningIndex { $0.sequence >= slice.sequence }
            segments[position].readers.add(1, ordering: .relaxed)
            return (segments[position], slice)
        }
    }
}

/// Goes through a log's entries with bounded memory.
package struct EntryCursor {
    private static let chunkBytes = 256 << 10

    private let log: DurableLog
    private var upcoming: LogIndex
    private let last: LogIndex
    private var chunk: [Entry] = []
    private var position = 0

    fileprivate init(log: DurableLog, next: LogIndex, last: LogIndex) {
        self.log = log
        upcoming = next
        self.last = last
    }

    package mutating func next() throws(LogError) -> Entry? {
        if position == chunk.count {
            guard upcoming <= last else { return nil }
            chunk = try log.entries(from: upcoming, through: last, limitBytes: Self.chunkBytes)
            upcoming = upcoming + UInt64(chunk.count)
            position = 0
        }
        defer { position += 1 }
        return chunk[position]
    }
}
