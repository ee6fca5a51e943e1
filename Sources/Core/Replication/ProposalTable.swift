internal import DequeModule
internal import StrakeModel
internal import StrakeRaft

/// Proposals of this member that are not applied, by where they are.
struct ProposalTable: Sendable {
    /// A command with who waits for it.
    struct Command: Sendable {
        var data: [UInt8]
        var origin: RequestOrigin?
        /// In ticks.
        var began: UInt64
        var deadline: UInt64
    }

    struct Expired {
        var origin: RequestOrigin
        var began: UInt64
        /// It was given to a leader, so it may still happen.
        var wasProposed: Bool
    }

    private struct Logged {
        var id: EntryID
        var origin: RequestOrigin
        var began: UInt64
        var deadline: UInt64
    }

    private struct Forwarded {
        var command: Command
        /// The message says it, and no leader of another term takes it.
        var term: Term
    }

    /// What one message passed on.
    private struct Batch {
        var number: UInt64
        var names: [ProposalID]
    }

    /// In the own log, in log order.
    private var logged: Deque<Logged> = []
    /// With the leader: their entries are told by the proposal's name. Looked up, never walked.
    private var forwarded: [ProposalID: Forwarded] = [:]
    /// The batches, in the order they were passed on; some proposals may be answered by now.
    private var forwardedOrder: Deque<Batch> = []
    /// At least the oldest term of those.
    private var forwardedSince = Term(rawValue: .max)
    /// Waiting for a leader, in the order they came.
    private(set) var parked: Deque<Command> = []
    /// Of what is kept to be proposed, for the first time or once more: parked, or with the leader.
    private(set) var keptBytes = 0

    /// - Returns: Who waits for entries that stood there or behind it. This member led before, and leads again with a log
    ///   that ends earlier. Left in place, they would stand in the way of this one. Whether those entries happen cannot be
    ///   told yet: another member may still have them, and lead before anything else is committed there.
    mutating func log(_ command: Command, as id: EntryID) -> [RequestOrigin] {
        var lost: [RequestOrigin] = []
        while let last = logged.last, last.id.index >= id.index { lost.append(logged.removeLast().origin) }
        if let origin = command.origin {
            logged.append(Logged(id: id, origin: origin, began: command.began, deadline: command.deadline))
        }
        return lost
    }

    /// - Parameter batch: Higher than those before.
    mutating func forward(_ commands: [Command], batch: UInt64, in term: Term) {
        var names: [ProposalID] = []
        for command in commands where command.origin != nil {
            guard let name = command.data.withUnsafeBytes({ ProposedCommand.proposalID(of: $0) }) else {
                preconditionFailure("a forwarded command without a name")
            }
            _ = removeForwarded(name)
            forwarded[name] = Forwarded(command: command, term: term)
            keptBytes += command.data.count
            names.append(name)
        }
        guard !names.isEmpty else { return }
        forwardedOrder.append(Batch(number: batch, names: names))
        forwardedSince = min(forwardedSince, term)
    }

    /// Takes out what the leader has refused.
    mutating func takeRefused(batch: UInt64) -> [Command] {
        var (low, high) = (0, forwardedOrder.count)
        while low < high {
            let middle = (low + high) / 2
            if forwardedOrder[middle].number < batch { low = middle + 1 } else { high = middle }
        }
        guard low < forwardedOrder.count, forwardedOrder[low].number == batch else { return [] }
        defer { forwardedOrder[low].names = [] }
        return forwardedOrder[low].names.compactMap { removeForwarded($0) }
    }

    private mutating func removeForwarded(_ name: ProposalID) -> Command? {
        guard let command = forwarded.removeValue(forKey: name)?.command else { return nil }
        keptBytes -= command.data.count
        return command
    }

    mutating func park(_ command: Command) {
        parked.append(command)
        keptBytes += command.data.count
    }

    mutating func takeParked() -> Deque<Command> {
        defer { parked = [] }
        for command in parked { keptBytes -= command.data.count }
        return parked
    }

    /// Who waits for an entry that is about to be applied.
    ///
    /// - Parameter lose: Called for those whose place in the log it took.
    mutating func take(_ entry: Entry, lose: (RequestOrigin) -> Void) -> RequestOrigin? {
        var origin: RequestOrigin?
        while let first = logged.first, first.id.index <= entry.index {
            logged.removeFirst()
            if first.id == entry.id { origin = first.origin } else { lose(first.origin) }
        }
        if origin == nil, !forwarded.isEmpty, entry.kind == .command,
            let name = entry.data.withUnsafeBytes({ ProposedCommand.proposalID(of: $0) })
        {
            origin = removeForwarded(name)?.origin
        }
        if entry.term > forwardedSince { parkLost(before: entry.term) }
        return origin
    }

    /// Forwarded in a term before that of an entry which is applied, and not applied themselves: they never will be. The
    /// leader of their term did not take them, or its log lost them. So they can be proposed once more.
    private mutating func parkLost(before term: Term) {
        forwardedSince = Term(rawValue: .max)
        var order: Deque<Batch> = []
        for var batch in forwardedOrder {
            batch.names.removeAll { name in
                guard let waiting = forwarded[name] else { return true }
                if waiting.term < term {
                    if let command = removeForwarded(name) { park(command) }
                    return true
                }
                forwardedSince = min(forwardedSince, waiting.term)
                return false
            }
            if !batch.names.isEmpty { order.append(batch) }
        }
        forwardedOrder = order
    }

    /// Lets go of those of which a snapshot up to the index does not tell whether they are in it.
    mutating func forget(through index: LogIndex) -> [RequestOrigin] {
        var origins: [RequestOrigin] = []
        while let first = logged.first, first.id.index <= index {
            logged.removeFirst()
            origins.append(first.origin)
        }
        for name in forwardedOrder.lazy.flatMap(\.names) {
            if let origin = removeForwarded(name)?.origin { origins.append(origin) }
        }
        forwardedOrder = []
        forwardedSince = Term(rawValue: .max)
        return origins
    }

    /// Lets go of everything, and tells who waited.
    mutating func takeAll() -> [RequestOrigin] {
        let named = forwardedOrder.flatMap(\.names).compactMap { forwarded[$0]?.command.origin }
        let origins = logged.map(\.origin) + named + parked.compactMap(\.origin)
        self = ProposalTable()
        return origins
    }

    /// Takes out what is not answered in time. Each of the three comes in the order of its deadlines, but for a few that
    /// were parked first.
    mutating func expire(through now: UInt64) -> [Expired] {
        var expired: [Expired] = []
        while let first = logged.first, first.deadline <= now {
            logged.removeFirst()
            expired.append(Expired(origin: first.origin, began: first.began, wasProposed: true))
        }
        while let batch = forwardedOrder.first {
            let waiting = batch.names.compactMap { forwarded[$0]?.command }
            if waiting.contains(where: { $0.deadline > now }) { break }
            for name in batch.names {
                guard let command = removeForwarded(name), let origin = command.origin else { continue }
                expired.append(Expired(origin: origin, began: command.began, wasProposed: true))
            }
            forwardedOrder.removeFirst()
        }
        while let first = parked.first, first.deadline <= now {
            parked.removeFirst()
            keptBytes -= first.data.count
            guard let origin = first.origin else { continue }
            expired.append(Expired(origin: origin, began: first.began, wasProposed: false))
        }
        return expired
    }
}
