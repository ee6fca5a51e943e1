internal import StrakeModel
internal import StrakeReplication
internal import StrakeStateMachine
internal import Synchronization

/// Tells the cluster this member's name and client URLs, again and again until that is in the log: then the member is
/// ready.
final class Publisher: AnswerTarget {
    private struct State {
        var target: Int32 = 0
        var isOut = false
        var isDone = false
        var waiting: [@Sendable () -> Void] = []
    }

    private let state = Mutex(State())

    func setTarget(_ target: Int32) {
        state.withLock { $0.target = target }
    }

    /// Runs the body once the member is ready, at once if it is.
    func whenReady(_ body: @escaping @Sendable () -> Void) {
        let isDone = state.withLock { state in
            if !state.isDone { state.waiting.append(body) }
            return state.isDone
        }
        if isDone { body() }
    }

    func tick(_ store: Store) {
        guard store.hasLeader else { return }
        let target: Int32? = state.withLock { state in
            if state.isDone || state.isOut { return nil }
            state.isOut = true
            return state.target
        }
        guard let target else { return }
        let options = store.options
        let known = store.members.first { $0.id == store.memberID }
        if known?.name == options.name, known?.clientURLs == options.clientURLs { return finish() }
        let attributes = MemberAttributes(
            id: store.memberID, name: options.name, peerURLs: options.peerURLs, clientURLs: options.clientURLs)
        let command = Command.setMember(attributes).encoded(store.nextProposalID())
        store.propose([(command, RequestOrigin(target: target, token: 0))])
    }

    func take(_ batch: AnswerBatch) {
        if !batch.answers.isEmpty {
            finish()
        } else if !batch.failures.isEmpty {
            state.withLock { $0.isOut = false }
        }
    }

    private func finish() {
        let waiting = state.withLock { state in
            defer {
                state.isDone = true
                state.waiting = []
            }
            return state.waiting
        }
        for body in waiting { body() }
    }
}
