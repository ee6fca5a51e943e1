/// Makes a history that has no order smaller while it has none.
///
/// First by steps that can only make an order easier to find: to leave a read out, to forget what a change was answered,
/// to look at an earlier moment. What is left then has no order for the same reason as the whole. Of the changes without
/// an answer those go last that nobody saw and that make no difference.
struct Explanation {
    private var operations: [Operation]
    private let stepsMax: Int

    init(of operations: [Operation], stepsMax: Int) {
        self.operations = operations.sorted { ($0.invoked, $0.returned) < ($1.invoked, $1.returned) }
        self.stepsMax = stepsMax
    }

    /// As small as the steps and their bound make it.
    func shrunk() -> [Operation] {
        var smaller = self
        smaller.cutEnd()
        for index in smaller.operations.indices.reversed() { smaller.weaken(at: index) }
        for index in smaller.operations.indices.reversed() { smaller.leaveOut(at: index) }
        return smaller.operations
    }

    /// Keeps the operations up to the first answer that cannot be explained.
    private mutating func cutEnd() {
        let ends = operations.filter(\.isAnswered).map(\.returned).sorted()
        var (low, high) = (0, ends.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if isBroken(upTo(ends[middle])) { high = middle } else { low = middle + 1 }
        }
        if low < ends.count, isBroken(upTo(ends[low])) { operations = upTo(ends[low]) }
    }

    /// What was known at a moment: later operations have not begun, and later answers are not in.
    private func upTo(_ moment: Int64) -> [Operation] {
        operations.filter { $0.invoked <= moment }.map { $0.returned <= moment ? $0 : $0.unanswered }
    }

    private mutating func weaken(at index: Int) {
        guard operations[index].isAnswered else { return }
        var less = operations
        if less[index].isEffective { less[index] = less[index].unanswered } else { less.remove(at: index) }
        if isBroken(less) { operations = less }
    }

    private mutating func leaveOut(at index: Int) {
        let operation = operations[index]
        guard !operation.isAnswered, !operations.contains(where: { $0.sees(operation) }) else { return }
        var less = operations
        less.remove(at: index)
        if isBroken(less) { operations = less }
    }

    private func isBroken(_ operations: [Operation]) -> Bool {
        var search = Search(operations)
        return search.run(stepsMax: stepsMax) == .none
    }
}

extension Operation {
    fileprivate var unanswered: Operation {
        Operation(
            client: client, key: key, request: request, outcome: .unknown, invoked: invoked, returned: returned)
    }

    /// The read shows what the other one wrote.
    fileprivate func sees(_ other: Operation) -> Bool {
        guard case .read(let seen?) = outcome else { return false }
        switch other.request {
        case .put(let value), .compareAndSet(_, let value): return seen.value == value
        case .get, .delete: return false
        }
    }
}
