internal import DequeModule
internal import NIOCore

/// Questions to one member that wait for its answer.
struct AskTable {
    typealias Answer = @Sendable ([UInt8]?) -> Void

    /// At the bound a question is answered with nil at once.
    static let pendingMax = 4_096

    private struct Pending {
        var stream: StreamKind
        var deadline: NIODeadline
        var answer: Answer
    }

    private var pending: [UInt64: Pending] = [:]
    /// All wait equally long: the oldest is the next to run out. Answered ones stay in it until then.
    private var order: Deque<(id: UInt64, deadline: NIODeadline)> = []

    var isFull: Bool { pending.count >= Self.pendingMax }

    mutating func add(_ id: UInt64, on stream: StreamKind, deadline: NIODeadline, _ answer: @escaping Answer) {
        pending[id] = Pending(stream: stream, deadline: deadline, answer: answer)
        order.append((id, deadline))
    }

    mutating func remove(_ id: UInt64) -> Answer? {
        defer { dropAnswered() }
        return pending.removeValue(forKey: id)?.answer
    }

    /// When the oldest question runs out.
    var deadline: NIODeadline? { order.first?.deadline }

    mutating func expire(at now: NIODeadline) -> [Answer] {
        var expired: [Answer] = []
        while let first = order.first, first.deadline <= now {
            order.removeFirst()
            if let ask = pending.removeValue(forKey: first.id) { expired.append(ask.answer) }
        }
        dropAnswered()
        return expired
    }

    /// The stream is gone: its answers will not come.
    mutating func removeAll(on stream: StreamKind) -> [Answer] {
        let gone = pending.filter { $0.value.stream == stream }
        for id in gone.keys { pending[id] = nil }
        dropAnswered()
        return gone.values.map(\.answer)
    }

    /// Keeps `order` from growing while questions are answered in time. One that is not, at the front, holds back at most
    /// what is asked until its deadline; those are cleared out when they outnumber what is pending.
    private mutating func dropAnswered() {
        while let first = order.first, pending[first.id] == nil { order.removeFirst() }
        if order.count > 2 * Self.pendingMax { order.removeAll { pending[$0.id] == nil } }
    }
}
