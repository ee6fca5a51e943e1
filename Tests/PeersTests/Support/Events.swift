internal import Synchronization

/// What has happened so far, in order, and who waits for more of it.
final class Events<Element: Sendable>: Sendable {
    typealias Condition = @Sendable ([Element]) -> Bool

    private struct State {
        var all: [Element] = []
        var waiters: [(condition: Condition, continuation: CheckedContinuation<[Element], Never>)] = []
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

    /// Everything that had happened when the condition was met.
    @discardableResult
    func wait(until condition: @escaping Condition) async -> [Element] {
        await withCheckedContinuation { continuation in
            let all: [Element]? = state.withLock { state in
                if condition(state.all) { return state.all }
                state.waiters.append((condition, continuation))
                return nil
            }
            if let all { continuation.resume(returning: all) }
        }
    }

    @discardableResult
    func wait(count: Int) async -> [Element] { await wait { $0.count >= count } }
}

extension Events where Element: Equatable {
    func wait(for element: Element) async { await wait { $0.contains(element) } }
}
