/// Revisions never go back in time, whichever the keys, and no two changes share one.
enum RevisionOrder {
    static func violation(in history: [Operation]) -> Violation? {
        let known = history.filter { $0.isAnswered && $0.revision != nil }
        return sharedRevision(in: known) ?? backwards(in: known)
    }

    private static func sharedRevision(in history: [Operation]) -> Violation? {
        let changes = history.filter(\.isEffective).sorted { revision($0) < revision($1) }
        for (first, second) in zip(changes, changes.dropFirst()) where first.revision == second.revision {
            return Violation(rule: .revisionGivenTwice, operations: sorted(first, second))
        }
        return nil
    }

    private static func backwards(in history: [Operation]) -> Violation? {
        let ended = history.sorted { ($0.returned, $0.invoked) < ($1.returned, $1.invoked) }
        var next = 0
        // The highest revision among the operations that had been answered.
        var newest: Operation?
        for operation in history.sorted(by: { ($0.invoked, $0.returned) < ($1.invoked, $1.returned) }) {
            while next < ended.count, ended[next].returned < operation.invoked {
                if newest == nil || revision(ended[next]) > newest!.revision! { newest = ended[next] }
                next += 1
            }
            guard let newest else { continue }
            let isBehind =
                operation.isEffective
                ? revision(operation) <= revision(newest) : revision(operation) < revision(newest)
            if isBehind { return Violation(rule: .revisionWentBack, operations: [newest, operation]) }
        }
        return nil
    }

    private static func revision(_ operation: Operation) -> Int64 { operation.revision ?? 0 }

    private static func sorted(_ first: Operation, _ second: Operation) -> [Operation] {
        first.invoked <= second.invoked ? [first, second] : [second, first]
    }
}
