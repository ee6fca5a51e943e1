/// Revisions at which something else is known to have happened: no change without an answer can have them.
struct TakenRevisions {
    static let none = TakenRevisions([])

    /// For each revision, from 0, the first one above it that is free.
    private let nextFree: [Int64]

    init(_ revisions: some Sequence<Int64>) {
        let taken = Set(revisions.filter { $0 > 0 })
        let last = taken.max() ?? 0
        var next = [Int64](repeating: 0, count: Int(last))
        var free = last + 1
        for revision in stride(from: last - 1, through: 0, by: -1) {
            if !taken.contains(revision + 1) { free = revision + 1 }
            next[Int(revision)] = free
        }
        nextFree = next
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

    func firstFree(after revision: Int64) -> Int64 {
        revision < nextFree.count ? nextFree[Int(revision)] : revision + 1
    }
}
