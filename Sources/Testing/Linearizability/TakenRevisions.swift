/// Revisions at which something else is known to have happened: no change without an answer can have them.
struct TakenRevisions {
    static let none = TakenRevisions([])

    /// Revisions without a gap between them, ascending, with gaps between these runs. As many as there are requests, at
    /// most, however high the revisions of a store are that is not new.
    private let runs: [ClosedRange<Int64>]

    init(_ revisions: some Sequence<Int64>) {
        var runs: [ClosedRange<Int64>] = []
        // The highest number there is cannot be followed by a free one, nor be reached by a store.
        for revision in Set(revisions.filter { $0 > 0 && $0 < .max }).sorted() {
            if let last = runs.last, last.upperBound + 1 == revision {
                runs[runs.count - 1] = last.lowerBound...revision
            } else {
                runs.append(revision...revision)
            }
        }
        self.runs = runs
    }

    /// What changes of `key` without an answer cannot have: the revisions of answered changes, and those at which reads
    /// of other keys show a change.
    init(for key: Int, in history: [Operation]) {
        self.init(
            history.lazy.compactMap { operation in
                if operation.isEffective { return operation.revision }
                guard operation.key != key, case .read(let seen?) = operation.outcome else { return nil }
                return seen.modRevision
            })
    }

    /// - Complexity: O(log n) of the runs.
    func firstFree(after revision: Int64) -> Int64 {
        let next = revision + 1
        var (low, high) = (0, runs.count)
        while low < high {
            let middle = (low + high) / 2
            if runs[middle].upperBound < next { low = middle + 1 } else { high = middle }
        }
        guard low < runs.count, runs[low].contains(next) else { return next }
        return runs[low].upperBound + 1
    }
}
