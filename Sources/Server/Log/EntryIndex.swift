package import StrakeRaft

/// Where each entry lies, and its term. Pure bookkeeping: four bytes an entry, no I/O.
package struct EntryIndex {
    /// Entries that follow each other in one segment.
    private struct Run {
        let sequence: UInt64
        let first: LogIndex
        /// Byte offset of each entry's record.
        var offsets: [UInt32]
        /// End of the last entry's record.
        var end: UInt32

        var last: LogIndex { first + UInt64(offsets.count) - 1 }

        func bytes(from index: LogIndex, count: Int) -> Range<Int> {
            let lower = Int(index - first)
            let upper = lower + count
            return Int(offsets[lower])..<(upper < offsets.count ? Int(offsets[upper]) : Int(end))
        }

        /// How many entries from `index` on, of `wanted`, take no more than `limitBytes`.
        func count(from index: LogIndex, atMost wanted: Int, limitBytes: Int) -> Int {
            var fits = 0
            var exceeds = wanted + 1
            while fits + 1 < exceeds {
                let middle = (fits + exceeds) / 2
                if bytes(from: index, count: middle).count <= limitBytes { fits = middle } else { exceeds = middle }
            }
            return fits
        }
    }

    /// Consecutive records in one segment that hold the entries from `first` on, perhaps with other records between.
    package struct Slice: Equatable {
        package var sequence: UInt64
        package var first: LogIndex
        package var count: Int
        package var bytes: Range<Int>
    }

    /// The entry just before the first one.
    package private(set) var start: EntryID
    package private(set) var last: EntryID
    /// In order, without gaps, never empty ones.
    private var runs: [Run] = []
    /// The first entry of each term.
    private var termStarts: [EntryID] = []
    /// The next entry must not extend the last run: superseded records lie between.
    private var isCut = false

    package init(start: EntryID) {
        self.start = start
        last = start
    }

    /// Adds the next entry, whose record lies at `bytes` of segment `sequence`.
    @inline(__always)
    package mutating func append(_ id: EntryID, sequence: UInt64, bytes: Range<Int>) {
        precondition(id.index == last.index + 1, "entry \(id) after \(last)")
        if id.term != last.term || runs.isEmpty { termStarts.append(id) }
        let position = runs.count - 1
        if position >= 0, !isCut, runs[position].sequence == sequence {
            runs[position].offsets.append(UInt32(bytes.lowerBound))
            runs[position].end = UInt32(bytes.upperBound)
        } else {
            let offsets = [UInt32(bytes.lowerBound)]
            runs.append(Run(sequence: sequence, first: id.index, offsets: offsets, end: UInt32(bytes.upperBound)))
            isCut = false
        }
        last = id
    }

    /// Forgets the entries after `index`, which is `start.index` or above.
    package mutating func cut(after index: LogIndex) {
        guard index < last.index, let term = term(at: index) else { return }
        while let run = runs.last, run.first > index { runs.removeLast() }
        if let run = runs.last, run.last > index {
            let count = Int(index - run.first) + 1
            runs[runs.count - 1].end = run.offsets[count]
            runs[runs.count - 1].offsets.removeLast(run.offsets.count - count)
        }
        while let first = termStarts.last, first.index > index { termStarts.removeLast() }
        last = EntryID(term: term, index: index)
        isCut = true
    }

    /// Forgets all entries and starts after `start`.
    mutating func reset(start: EntryID) {
        self = EntryIndex(start: start)
    }

    package func term(at index: LogIndex) -> Term? {
        if index == start.index { return start.term }
        if index == last.index { return last.term }
        guard index > start.index, index < last.index else { return nil }
        let after = termStarts.partitioningIndex { $0.index > index }
        return termStarts[after - 1].term
    }

    /// Where the entries from `from` through `through` lie: the longest prefix of them whose records take at most
    /// `limitBytes`, but at least one. All of them must be there.
    package func slices(from: LogIndex, through: LogIndex, limitBytes: Int) -> [Slice] {
        precondition(from > start.index && from <= through && through <= last.index, "no such entries")
        var slices: [Slice] = []
        var next = from
        var budget = limitBytes
        var position = runs.partitioningIndex { $0.last >= from }
        while next <= through, budget > 0 || slices.isEmpty {
            let run = runs[position]
            let wanted = Int(min(through, run.last) - next) + 1
            let fitting = run.count(from: next, atMost: wanted, limitBytes: budget)
            if fitting == 0, !slices.isEmpty { break }
            let count = max(fitting, 1)
            let bytes = run.bytes(from: next, count: count)
            slices.append(Slice(sequence: run.sequence, first: next, count: count, bytes: bytes))
            if count < wanted { break }
            budget -= bytes.count
            next = next + UInt64(count)
            position += 1
        }
        return slices
    }

    /// How many of the first of `sequences` hold nothing above `limit` that still counts. The last one is in use and
    /// never among them.
    package func removable(of sequences: [UInt64], through limit: LogIndex) -> Int {
        var count = 0
        while count < sequences.count - 1 {
            guard firstIndex(after: sequences[count]) - 1 <= limit else { break }
            count += 1
        }
        return count
    }

    /// Forgets the entries in the segments through `sequence`.
    package mutating func removeSegments(through sequence: UInt64) {
        let index = firstIndex(after: sequence) - 1
        guard index > start.index, let term = term(at: index) else { return }
        start = EntryID(term: term, index: index)
        runs.removeAll { $0.sequence <= sequence }
        if index == last.index {
            termStarts = []
        } else {
            // The first entry that is left may be in the middle of its term.
            termStarts.removeFirst(termStarts.partitioningIndex { $0.index > index + 1 } - 1)
            termStarts[0].index = index + 1
        }
    }

    private func firstIndex(after sequence: UInt64) -> LogIndex {
        runs.first { $0.sequence > sequence }?.first ?? last.index + 1
    }
}

extension Array {
    /// First position whose element satisfies the predicate, which once true stays true.
    func partitioningIndex(where predicate: (Element) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if predicate(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
