internal import StrakeModel
internal import StrakeStateMachine
internal import Synchronization

/// Questions that only the leader can answer, whoever that is: asked again until there is an answer or no time is left.
final class LeaderCalls: Sendable {
    /// Questions at once; further ones are refused.
    static let callsMax = 65_536

    struct Attempt {
        var number: UInt64
        var request: PeerRequest
    }

    private enum Phase {
        /// To be asked at the next tick.
        case idle
        case asked
        /// Answered: the change is to be applied here too.
        case applying(index: UInt64)
    }

    private struct Call {
        var request: PeerRequest
        var phase = Phase.asked
        /// Milliseconds.
        var deadline: Int64
        /// An answer was lost: the change may have been made.
        var hasLostTry = false
        var answer: @Sendable (PeerAnswer) -> Void
    }

    private struct State {
        /// By number.
        var calls: [UInt64: Call] = [:]
        var lastNumber: UInt64 = 0
    }

    private let state = Mutex(State())

    /// - Returns: What to ask now; `nil` when there are too many questions.
    func add(
        _ request: PeerRequest, deadline: Int64, answer: @escaping @Sendable (PeerAnswer) -> Void
    ) -> Attempt? {
        state.withLock { state in
            guard state.calls.count < Self.callsMax else { return nil }
            state.lastNumber += 1
            state.calls[state.lastNumber] = Call(request: request, deadline: deadline, answer: answer)
            return Attempt(number: state.lastNumber, request: request)
        }
    }

    /// There was nobody to ask.
    func postpone(_ number: UInt64) {
        state.withLock { $0.calls[number]?.phase = .idle }
    }

    /// What came of an attempt; `nil`: nothing, within the transport's time.
    func answered(_ number: UInt64, _ answer: PeerAnswer?, applied: UInt64) {
        let done: (@Sendable (PeerAnswer) -> Void, PeerAnswer)? = state.withLock { state in
            guard var call = state.calls[number] else { return nil }
            switch answer {
            case nil:
                call.hasLostTry = true
                call.phase = .idle
                state.calls[number] = call
                return nil
            case .refused(.notLeader)?, .refused(.noLeader)?, .refused(.leaderChanged)?:
                call.phase = .idle
                state.calls[number] = call
                return nil
            case .changed(let index)? where index > applied:
                call.phase = .applying(index: index)
                state.calls[number] = call
                return nil
            case .refused(let error)? where call.hasLostTry && call.request.isDone(by: error):
                state.calls[number] = nil
                return (call.answer, .changed(index: 0))
            case let answer?:
                state.calls[number] = nil
                return (call.answer, answer)
            }
        }
        if let done { done.0(done.1) }
    }

    /// The member has stopped.
    func giveUp() {
        let answers = state.withLock { state in
            defer { state.calls = [:] }
            return state.calls.sorted { $0.key < $1.key }.map(\.value.answer)
        }
        for answer in answers { answer(.refused(.stopped)) }
    }

    /// - Returns: What to ask again.
    func tick(now: Int64, hasLeader: Bool, applied: UInt64) -> [Attempt] {
        var done: [(@Sendable (PeerAnswer) -> Void, PeerAnswer)] = []
        let attempts = state.withLock { state in
            var attempts: [Attempt] = []
            for number in state.calls.keys.sorted() {
                guard var call = state.calls[number] else { continue }
                if case .applying(let index) = call.phase, index <= applied {
                    done.append((call.answer, .changed(index: index)))
                    state.calls[number] = nil
                } else if call.deadline <= now {
                    done.append((call.answer, .refused(hasLeader ? .timeout : .noLeader)))
                    state.calls[number] = nil
                } else if case .idle = call.phase {
                    call.phase = .asked
                    state.calls[number] = call
                    attempts.append(Attempt(number: number, request: call.request))
                }
            }
            return attempts
        }
        for (answer, value) in done { answer(value) }
        return attempts
    }
}

extension PeerRequest {
    /// This refusal of a second try says that the first one has made the change.
    fileprivate func isDone(by error: StoreError) -> Bool {
        switch self {
        case .change(let change):
            switch change {
            case .add: error == .memberExists
            case .remove: error == .memberNotFound
            case .promote: error == .notLearner
            case .update: false
            case .addReplacement: error == .memberExists
            case .replace: error == .memberNotFound
            }
        case .ping, .removal, .keepAlive, .timeToLive, .digests, .progress: false
        }
    }
}
