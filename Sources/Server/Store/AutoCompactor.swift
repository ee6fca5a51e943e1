internal import StrakeMVCC
internal import StrakeModel
internal import StrakeRaft
internal import StrakeReplication
internal import StrakeStateMachine
internal import Synchronization

/// Has done what `AutoCompaction` decides.
final class AutoCompactor: AnswerTarget {
    private struct State {
        var decisions: AutoCompaction?
        var target: Int32 = 0
        /// The revision that was asked for, and what came back.
        var asked: Int64?
        var result: Result<Void, StoreError>?
    }

    private let state = Mutex(State())

    func setTarget(_ target: Int32) {
        state.withLock { $0.target = target }
    }

    /// On the clock's thread, at every tick.
    func tick(_ store: Store) {
        guard let policy = store.options.autoCompaction else { return }
        let (now, revision, isLeader) = (MonotonicClock.milliseconds, store.reader.revision, store.isLeader)
        var events: [AutoCompaction.Event] = []
        let proposal: (revision: Int64, target: Int32)? = state.withLock { state in
            var decisions =
                state.decisions ?? AutoCompaction(policy, now: now, revision: revision)
            defer { state.decisions = decisions }
            if let asked = state.asked, let result = state.result {
                (state.asked, state.result) = (nil, nil)
                let outcome = Self.outcome(of: result)
                decisions.ended(isDone: outcome == .done, now: now, revision: revision)
                events.append(AutoCompaction.Event(policy: policy, revision: asked, outcome: outcome))
            }
            guard let due = decisions.tick(now: now, revision: revision, isLeader: isLeader) else { return nil }
            state.asked = due
            events.append(AutoCompaction.Event(policy: policy, revision: due, outcome: .begun))
            return (due, state.target)
        }
        for event in events { store.options.onNotice(.progress(.autoCompaction(event))) }
        guard let proposal else { return }
        let command = Command.compact(revision: proposal.revision, physical: false)
        store.propose([
            (command.encoded(store.nextProposalID()), RequestOrigin(target: proposal.target, token: 0))
        ])
    }

    func take(_ batch: AnswerBatch) {
        state.withLock { state in
            if let answer = batch.answers.last {
                if case .refused(let error) = answer.outcome {
                    state.result = .failure(error)
                } else {
                    state.result = .success(())
                }
            } else if let failure = batch.failures.last {
                state.result = .failure(failure.error)
            }
        }
    }

    private static func outcome(of result: Result<Void, StoreError>) -> AutoCompaction.Event.Outcome {
        switch result {
        // A client, or another member when it led, has compacted further.
        case .success, .failure(.compacted): .done
        case .failure(let error): .failed("\(error)")
        }
    }
}
