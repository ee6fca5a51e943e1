internal import Synchronization
internal import Testing

/// What has happened so far, in order, and who waits for more of it.
final class Events<Element: Sendable>: Sendable {
    typealias Condition = @Sendable ([Element]) -> Bool

    private struct Waiter {
        let number: Int
        let condition: Condition
        let continuation: CheckedContinuation<[Element], Never>
    }

    private struct State {
        var all: [Element] = []
        var waiters: [Waiter] = []
        var waiterCount = 0
        /// Waits that were given up before they had begun.
        var cancelled: Set<Int> = []
    }

    private let state = Mutex(State())

    var all: [Element] { state.withLock { $0.all } }

    func add(_ elements: [Element]) {
        let (all, ready) = state.withLock { state in
            state.all += elements
            let all = state.all
            let place = state.waiters.partition { $0.condition(all) }
            let ready = Array(state.waiters[place...])
            state.waiters.removeSubrange(place...)
            return (all, ready)
        }
        for waiter in ready { waiter.continuation.resume(returning: all) }
    }

    func add(_ element: Element) { add([element]) }

    /// Everything that had happened when the condition was met. A test whose time is over waits no longer, and fails here.
    @discardableResult
    func wait(
        until condition: @escaping Condition, sourceLocation: SourceLocation = #_sourceLocation
    ) async -> [Element] {
        let number = state.withLock { state in
            state.waiterCount += 1
            return state.waiterCount
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let all: [Element]? = state.withLock { state in
                    if condition(state.all) || state.cancelled.contains(number) { return state.all }
                    state.waiters.append(Waiter(number: number, condition: condition, continuation: continuation))
                    return nil
                }
                if let all { continuation.resume(returning: all) }
            }
        } onCancel: {
            let all = self.all
            Issue.record("\(all.count) came, and what was waited for did not", sourceLocation: sourceLocation)
            giveUp(number)?.resume(returning: all)
        }
    }

    private func giveUp(_ number: Int) -> CheckedContinuation<[Element], Never>? {
        state.withLock { state in
            state.cancelled.insert(number)
            let place = state.waiters.firstIndex { $0.number == number }
            return place.map { state.waiters.remove(at: $0).continuation }
        }
    }

    @discardableResult
    func wait(count: Int, sourceLocation: SourceLocation = #_sourceLocation) async -> [Element] {
        await wait(until: { $0.count >= count }, sourceLocation: sourceLocation)
    }
}

extension Events where Element: Equatable {
    func wait(for element: Element, sourceLocation: SourceLocation = #_sourceLocation) async {
        await wait(until: { $0.contains(element) }, sourceLocation: sourceLocation)
    }
}
