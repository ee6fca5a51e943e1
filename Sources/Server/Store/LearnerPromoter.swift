internal import StrakeModel
internal import StrakeStateMachine
internal import Synchronization

/// Makes voters of learners that have caught up, where the operator wants that done without a command.
final class LearnerPromoter: Sendable {
    /// Between two looks.
    private static let pauseMilliseconds: Int64 = 1_000
    /// Entries that a learner may be behind and still count as caught up: under load none has the very last.
    private static let lagMax: UInt64 = 1_000

    private let next = Atomic<Int64>(0)

    func tick(now: Int64, _ store: Store) {
        guard store.options.promotesLearners, store.isLeader, now >= next.load(ordering: .relaxed) else { return }
        next.store(now + Self.pauseMilliseconds, ordering: .relaxed)
        let reachable = store.members(inTouchFor: 0)
        for (attributes, isLearner) in store.memberList where isLearner && reachable.contains(attributes.id) {
            guard !store.desk.isReserved(attributes.id), let progress = store.logProgress(of: attributes.id),
                progress.matched + Self.lagMax >= progress.last
            else { continue }
            // Checked as any promotion; one that is refused is tried again with the next look.
            store.desk.serve(
                .change(.promote(attributes.id)), by: store, deadline: now + Self.pauseMilliseconds
            ) { _ in }
        }
    }
}
