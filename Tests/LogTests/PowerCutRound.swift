internal import StrakeLog
internal import StrakeRaft
internal import StrakeSeededGenerator
internal import StrakeSimulatedDisk

/// What a log should hold.
struct LogModel: Equatable {
    var start = EntryID.zero
    var entries: [Entry] = []
    var state = HardState()

    var last: EntryID { entries.last?.id ?? start }

    mutating func append(_ added: [Entry], _ state: HardState?) {
        if let first = added.first { entries.removeLast(Int(last.index + 1 - first.index)) }
        entries += added
        if let state { self.state = state }
    }

    mutating func replaceAll(_ snapshot: SnapshotMetadata) {
        start = snapshot.last
        entries = []
        if snapshot.last.term > state.term { state = HardState(term: snapshot.last.term) }
        state.committed = snapshot.last.index
    }

    func term(at index: LogIndex) -> Term {
        index == start.index ? start.term : entries[Int(index - start.index) - 1].term
    }
}

/// Random work on a log, a power cut somewhere in it, and a look at what is left; several times on one disk.
struct PowerCutRound {
    struct Totals {
        var cuts = 0
        var crashes = 0
        var lost = 0
        var repaired = 0
        var rolls = 0
        var removed = 0
        var replaced = 0
        var synced = 0
    }

    struct Wrong: Error, CustomStringConvertible {
        var description: String
    }

    private let fixture: LogFixture
    private var random: SeededGenerator
    /// What may be found after a cut, oldest first: the synced state, then one state for each batch since.
    private var possible = [LogModel()]
    /// Marks may be lost with their batch, so a later start is legal only below one that was handed over.
    private var marked = LogIndex.zero
    private var retained: UInt64

    init(seed: UInt64) throws {
        random = SeededGenerator(seed: seed)
        retained = UInt64(random.below(3)) * 5
        let segmentBytes = [4_096, 5_000, 8_192, 20_000][random.below(4)]
        fixture = try LogFixture(segmentBytes: segmentBytes, retainedEntries: retained)
    }

    mutating func run(_ totals: inout Totals) throws {
        var log: DurableLog?
        for _ in 0..<5 {
            fixture.disk.loseContact(afterChanges: random.below(random.below(4) == 0 ? 20 : 200))
            var isAlive = true
            for _ in 0..<100 where isAlive {
                do throws(LogError) {
                    let open = if let log { log } else { try fixture.open() }
                    log = open
                    try step(open, &totals)
                } catch {
                    guard case .disk = error else { throw error }
                    isAlive = false
                }
            }
            // A process that dies leaves what only the kernel knows, and the next one builds on it.
            if random.below(3) == 0 {
                fixture.disk.crashProcess()
                totals.crashes += 1
            } else {
                fixture.disk.powerCut(seed: random.next())
                totals.cuts += 1
            }
            log = try reopen(&totals)
        }
    }

    private mutating func step(_ log: DurableLog, _ totals: inout Totals) throws(LogError) {
        switch random.below(20) {
        case 0...8: try append(log)
        case 9...13: try sync(log, &totals)
        case 14: try log.prepareNextSegment()
        case 15...17: try truncate(log, &totals)
        case 18:
            guard random.below(10) == 0 else { return try append(log) }
            try replaceAll(log, &totals)
        default:
            // Many batches at once, to fill segments.
            for _ in 0..<6 { try append(log) }
            try sync(log, &totals)
        }
    }

    private mutating func append(_ log: DurableLog) throws(LogError) {
        var model = possible[possible.count - 1]
        let current = model.state
        var first = model.last.index + 1
        if random.below(6) == 0, model.last.index > current.committed {
            first = current.committed + UInt64(random.below(Int(model.last.index - current.committed))) + 1
        }
        var state = current
        if random.below(5) == 0 { state = HardState(term: Term(rawValue: state.term.rawValue + 1)) }
        state.committed = current.committed
        if state.vote == nil, random.below(2) == 0 { state.vote = MemberID(rawValue: UInt64(random.below(3)) + 1) }
        if state.term == .zero { state.term = Term(rawValue: 1) }
        var entries: [Entry] = []
        for offset in 0..<UInt64(random.below(6)) {
            let id = EntryID(term: state.term, index: first + offset)
            entries.append(Entry(id: id, kind: .command, data: random.data()))
        }
        let last = entries.last?.index ?? model.last.index
        if last > state.committed, random.below(3) == 0 {
            state.committed = state.committed + UInt64(random.below(Int(last - state.committed) + 1))
        }
        let written = state == current && random.below(2) == 0 ? nil : state
        model.append(entries, written)
        possible.append(model)
        try log.append(entries: entries, hardState: written)
    }

    private mutating func sync(_ log: DurableLog, _ totals: inout Totals) throws(LogError) {
        try log.sync()
        possible.removeFirst(possible.count - 1)
        totals.synced += 1
    }

    private mutating func truncate(_ log: DurableLog, _ totals: inout Totals) throws(LogError) {
        let model = possible[possible.count - 1]
        // As the state machine does: only what is committed, and known to be synced here.
        let committed = min(model.state.committed, possible[0].last.index)
        guard committed > model.start.index, committed > marked || random.below(2) == 0 else { return }
        guard committed > log.start.index else { return }
        let snapshot = SnapshotMetadata(
            last: EntryID(term: model.term(at: committed), index: committed),
            configuration: Configuration(voters: [MemberID(rawValue: committed.rawValue)]))
        marked = max(marked, committed)
        totals.removed += try log.truncatePrefix(through: snapshot)
    }

    private mutating func replaceAll(_ log: DurableLog, _ totals: inout Totals) throws(LogError) {
        var model = possible[possible.count - 1]
        let last = EntryID(
            term: Term(rawValue: max(model.last.term.rawValue, 1) + UInt64(random.below(2))),
            index: model.last.index + UInt64(random.below(50)) + 1)
        let snapshot = SnapshotMetadata(
            last: last, configuration: Configuration(voters: [MemberID(rawValue: last.index.rawValue)]))
        model.replaceAll(snapshot)
        possible.append(model)
        marked = last.index
        try log.replaceAll(with: snapshot)
        possible = [model]
        totals.replaced += 1
    }

    private mutating func reopen(_ totals: inout Totals) throws -> DurableLog {
        let log = try fixture.open()
        let found = LogModel(start: log.start, entries: try log.allEntries(), state: log.hardState)
        guard let match = possible.lastIndex(where: { matches(found, $0) }) else {
            throw Wrong(
                description: "found \(found.start) to \(found.last), \(found.state); expected one of "
                    + possible.map { "\($0.start) to \($0.last), \($0.state)" }.joined(separator: " or "))
        }
        if match < possible.count - 1 { totals.lost += 1 }
        if log.repair != nil { totals.repaired += 1 }
        totals.rolls += try fixture.segments().count - 1
        try checkStart(log, possible[match])
        possible = [possible[match]]
        return log
    }

    /// The prefix may be truncated, everything else is equal.
    private func matches(_ found: LogModel, _ model: LogModel) -> Bool {
        guard found.state == model.state, found.last == model.last, found.start.index >= model.start.index,
            found.start.term == model.term(at: found.start.index)
        else { return false }
        return found.entries == Array(model.entries[Int(found.start.index - model.start.index)...])
    }

    private func checkStart(_ log: DurableLog, _ model: LogModel) throws {
        guard log.start.index > .zero else { return }
        guard let snapshot = log.snapshot else { throw Wrong(description: "starts at \(log.start) without snapshot") }
        let index = snapshot.last.index
        guard snapshot.configuration.voters == [MemberID(rawValue: index.rawValue)], index <= marked,
            snapshot.last.term == model.term(at: index)
        else { throw Wrong(description: "snapshot \(snapshot), marked \(marked)") }
        guard log.start == model.start || log.start.index.rawValue + retained <= index.rawValue else {
            throw Wrong(description: "start \(log.start), snapshot \(snapshot.last), \(retained) retained")
        }
    }
}

extension SeededGenerator {
    /// Sometimes larger than a segment, sometimes all zeros.
    mutating func data() -> [UInt8] {
        let count = below([10, 100, 400, 400, 2_000, below(20) == 0 ? 9_000 : 800][below(6)])
        let byte = UInt8(truncatingIfNeeded: next())
        switch below(4) {
        case 0: return [UInt8](repeating: 0, count: count)
        case 1: return [UInt8](repeating: byte, count: count)
        default: return (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
        }
    }
}
