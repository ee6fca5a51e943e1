/// Judges a history of clients of one store: could the store have carried the operations out one at a time, each at some
/// moment between its start and its answer?
///
/// Keys are judged one by one, since linearizability is local (Herlihy and Wing 1990). The revisions in the answers,
/// which all keys share, are judged over all of them.
package struct LinearizabilityCheck: Sendable {
    /// Steps of the search for one key, after which it gives up.
    package var stepsMax = 1_000_000
    /// Steps of each try to make an explanation smaller.
    package var shrinkStepsMax = 20_000

    package init() {}

    package func verdict(on history: [Operation]) -> Verdict {
        if let violation = RevisionOrder.violation(in: history) { return .violation(violation) }
        var undecided: Verdict?
        for (key, operations) in Dictionary(grouping: history.filter { $0.isAnswered || $0.request != .get }, by: \.key)
            .sorted(by: { $0.key < $1.key })
        {
            var search = Search(operations, taken: TakenRevisions(for: key, in: history))
            switch search.run(stepsMax: stepsMax) {
            case .found: continue
            case .outOfSteps: undecided = undecided ?? .undecided(key: key, steps: search.steps)
            case .none:
                let smallest = Explanation(of: operations, stepsMax: shrinkStepsMax).shrunk()
                return .violation(Violation(rule: .noOrder(key: key), operations: smallest))
            }
        }
        return undecided ?? .linearizable
    }
}
