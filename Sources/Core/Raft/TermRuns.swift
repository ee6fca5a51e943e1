/// The term of every entry after the compaction point, one run for each term: a few bytes however long the log is,
/// because terms never fall along a log and change only with an election.
struct TermRuns: Sendable {
    struct Run: Sendable {
        var first: LogIndex
        var term: Term
    }

    /// Ascending in both; the first run begins right after the compaction point.
    private(set) var runs: [Run] = []

    mutating func append(_ id: EntryID) {
        if let last = runs.last {
            precondition(id.term >= last.term, "term \(id) after \(last.term)")
            if id.term == last.term { return }
        }
        runs.append(Run(first: id.index, term: id.term))
    }

    /// The caller has checked that the index is in the log.
    func term(at index: LogIndex) -> Term? {
        for run in runs.reversed() where run.first <= index { return run.term }
        return nil
    }

    /// The last position at or before `index` whose term is at most `term`.
    func last(through index: LogIndex, termAtMost term: Term) -> EntryID? {
        var end = index
        for run in runs.reversed() where run.first <= index {
            if run.term <= term { return EntryID(term: run.term, index: end) }
            end = run.first - 1
        }
        return nil
    }

    mutating func truncate(from index: LogIndex) {
        while let last = runs.last, last.first >= index { runs.removeLast() }
    }

    mutating func compact(through index: LogIndex) {
        while runs.count > 1, runs[1].first <= index + 1 { runs.removeFirst() }
        if !runs.isEmpty { runs[0].first = max(runs[0].first, index + 1) }
    }

    mutating func removeAll() { runs.removeAll() }
}
