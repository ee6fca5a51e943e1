/// Looks for an order of one key's operations that agrees with time and with their answers: Wing and Gong's search with
/// Lowe's memory of what was tried ("Testing for linearizability", 2017).
///
/// An answered operation has to be in the order, between its start and its end. One without an answer may be, anywhere
/// after its start.
struct Search {
    enum Outcome: Hashable {
        case found, none, outOfSteps
    }

    /// Which operations are in the order, and what they led to: from here on everything is decided.
    private struct Visit: Hashable {
        var placed: [UInt64]
        var state: KeyState
    }

    /// A place in the order and what may stand there.
    private struct Frame {
        var state: KeyState
        var choices: [Choice]
        /// Was placed to come here; nil for the first frame.
        var placed: Int?
    }

    private struct Choice {
        var operation: Int
        var state: KeyState
    }

    /// Changes without an answer that can stand for each other: nobody saw what they put.
    private enum Twin: Hashable {
        case put, delete
    }

    /// By start.
    private let operations: [Operation]
    private let twins: [Twin?]
    private let taken: TakenRevisions
    /// One bit for each operation that is in the order.
    private var placed: [UInt64]
    private var missing: Int
    private var visited: Set<Visit> = []
    private var frames: [Frame] = []
    private(set) var steps = 0

    init(_ operations: [Operation], taken: TakenRevisions = .none) {
        self.taken = taken
        let seen = Set(operations.compactMap(\.seenValue))
        var sorted = operations.sorted { ($0.invoked, $0.returned) < ($1.invoked, $1.returned) }
        var twins: [Twin?] = []
        for place in sorted.indices {
            switch sorted[place].request {
            case .put(let value) where !sorted[place].isAnswered && !seen.contains(value):
                // One value for all of them, so that the states after them are the same.
                sorted[place].request = .put(value: .max)
                twins.append(.put)
            case .delete where !sorted[place].isAnswered: twins.append(.delete)
            case .get, .put, .delete, .compareAndSet: twins.append(nil)
            }
        }
        self.operations = sorted
        self.twins = twins
        placed = [UInt64](repeating: 0, count: (operations.count + 63) / 64)
        missing = operations.count(where: \.isAnswered)
    }

    mutating func run(stepsMax: Int) -> Outcome {
        if missing == 0 { return .found }
        frames.append(Frame(state: KeyState(), choices: choices(after: KeyState()), placed: nil))
        while !frames.isEmpty {
            guard let choice = frames[frames.count - 1].choices.popLast() else {
                back()
                continue
            }
            steps += 1
            if steps > stepsMax { return .outOfSteps }
            place(choice.operation)
            if missing == 0 { return .found }
            guard visited.insert(Visit(placed: placed, state: choice.state)).inserted else {
                unplace(choice.operation)
                continue
            }
            frames.append(
                Frame(state: choice.state, choices: choices(after: choice.state), placed: choice.operation))
        }
        return .none
    }

    private mutating func back() {
        if let operation = frames.removeLast().placed { unplace(operation) }
    }

    private mutating func place(_ operation: Int) {
        placed[operation / 64] |= 1 << UInt64(operation % 64)
        if operations[operation].isAnswered { missing -= 1 }
    }

    private mutating func unplace(_ operation: Int) {
        placed[operation / 64] &= ~(1 << UInt64(operation % 64))
        if operations[operation].isAnswered { missing += 1 }
    }

    private func isPlaced(_ operation: Int) -> Bool { placed[operation / 64] & (1 << UInt64(operation % 64)) != 0 }

    /// What can come next, the most promising last: operations that began before any missing one was answered.
    private func choices(after state: KeyState) -> [Choice] {
        var candidates: [Int] = []
        var end = Int64.max
        var tried: Set<Twin> = []
        for index in operations.indices where !isPlaced(index) {
            // By start: nothing from here on began in time.
            if operations[index].invoked > end { break }
            // The first of the twins can stand wherever a later one can.
            if let twin = twins[index], !tried.insert(twin).inserted { continue }
            candidates.append(index)
            end = min(end, operations[index].returned)
        }
        candidates.removeAll { operations[$0].invoked > end }
        // An answer at a higher revision would leave no place for the lower one, which has to come at some time.
        let lowest = candidates.compactMap { operations[$0].revision }.min() ?? .max
        var unknown: [Choice] = []
        var answered: [Choice] = []
        for index in candidates.reversed() {
            let operation = operations[index]
            if let revision = operation.revision, revision > lowest { continue }
            let choices = state.after(operation, taken: taken).map { Choice(operation: index, state: $0) }
            if operation.isAnswered { answered += choices } else { unknown += choices }
        }
        return unknown + answered
    }
}

extension Operation {
    fileprivate var seenValue: UInt64? { if case .read(let seen?) = outcome { seen.value } else { nil } }
}
