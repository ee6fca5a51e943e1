import StrakeLeases
import StrakeMVCC
import StrakeModel
import StrakeRaft
import StrakeStateMachine
import StrakeTables
import StrakeTemporaryDirectory

/// A state machine on a file of its own, that may stop, start and be replaced.
final class Machine {
    static let founding = SnapshotMetadata.bootstrap(voters: [1, 2, 3].map { MemberID(rawValue: $0) })

    private(set) var directory = TemporaryDirectory()
    private(set) var tables: StoreTables
    var machine: StateMachine
    private var work: CheckpointWork?
    private var audit: StoreAudit?
    private(set) var audits = 0

    init() throws {
        tables = try StoreTables(directory: directory.path)
        machine = try StateMachine(tables: tables, founding: Self.founding)
    }

    // What `#expect` cannot ask a noncopyable machine itself.
    var applied: LogIndex { machine.applied.index }
    var digest: StateDigest { machine.digest }
    var digests: [StateDigest] { machine.digests }

    func apply(_ entry: Entry) throws {
        _ = try machine.apply(entry)
        machine.store.publish()
    }

    /// One of: begin a checkpoint, end it.
    func advanceCheckpoint() throws {
        if let work {
            try work.run()
            machine.store.finish(work)
            self.work = nil
        } else {
            work = machine.freeze()
        }
    }

    func checkpoint() throws {
        if work != nil { try advanceCheckpoint() }
        try advanceCheckpoint()
        if work != nil { try advanceCheckpoint() }
    }

    func compact(eventsMax: Int) throws {
        let slice = try machine.store.compactor.runSlice(eventsMax: eventsMax)
        audit?.note(removed: slice.removed)
    }

    /// Returns what a whole audit came to, else nil.
    @discardableResult
    func advanceAudit(bytesMax: Int) throws -> StoreAudit.Progress? {
        var running = try audit ?? StateMachine.audit(machine.store.compactor, eventsPerLookUp: 1)
        audit = running
        let progress = try running.runSlice(bytesMax: bytesMax).progress
        audit = progress == .unfinished ? running : nil
        if progress == .sound { audits += 1 }
        return progress == .unfinished ? nil : progress
    }

    /// What was not checkpointed is gone.
    func restart() throws {
        work = nil
        audit = nil
        machine = try StateMachine(tables: tables, founding: Self.founding)
    }

    /// Becomes a new store with the events, at the founding entry.
    func rebuild(of events: [ImportedEvent], leases: [Lease], revisions: StateBuilder.Revisions) throws -> Bool {
        let directory = TemporaryDirectory()
        let tables = try StoreTables(directory: directory.path)
        var builder = try StateBuilder(into: tables)
        for event in events where try !builder.append(event) { return false }
        guard
            try builder.finish(Self.founding, members: [], leases: leases, alarms: [], revisions: revisions)
        else { return false }
        work = nil
        audit = nil
        machine = try StateMachine(tables: tables, founding: Self.founding)
        self.tables = tables
        self.directory = directory
        return true
    }

    /// Takes over the state of another one as a snapshot, through the bytes that it would send.
    ///
    /// - Parameter interrupts: Whether the stream breaks off after a piece, and is taken up again.
    func install(from other: Machine, pieceBytes: Int, interrupts: () throws -> Bool = { false }) throws {
        let directory = TemporaryDirectory()
        let tables = try StoreTables(directory: directory.path)
        var writer = other.machine.writer()
        var reader = try SnapshotReader(writer.metadata, into: tables)
        while let piece = try writer.next(bytesMax: pieceBytes) {
            try reader.write(piece)
            guard try interrupts() else { continue }
            // What was on its way is lost.
            for _ in 0..<3 { _ = try writer.next(bytesMax: pieceBytes) }
            reader.dropPart()
            guard try writer.resume(at: reader.taken) else { throw SnapshotError.truncated }
        }
        try reader.finish()
        work = nil
        audit = nil
        machine = try StateMachine(tables: tables, founding: writer.metadata)
        self.tables = tables
        self.directory = directory
    }
}

extension Machine {
    /// What another one's history says, as another program would write it down.
    static func imported(_ other: Machine) throws -> [ImportedEvent] {
        var history = other.machine.store.transfer()
        var events: [ImportedEvent] = []
        while !history.isAtEnd {
            for event in try history.next(byteBudget: 1 << 20) {
                let header = event.header
                let item = KeyValue(
                    key: event.key, createRevision: header.createRevision, modRevision: header.revision.main,
                    version: header.version, value: event.value, lease: header.lease)
                events.append(
                    ImportedEvent(revision: header.revision, isTombstone: header.isTombstone, keyValue: item))
            }
        }
        return events
    }
}

extension Entry {
    /// A command of term 1.
    init(_ index: UInt64, _ command: Command, as identity: RequestIdentity? = nil) {
        let data = ProposedCommand(id: ProposalID(rawValue: index), as: identity, command: command).encoded()
        self.init(
            id: EntryID(term: Term(rawValue: 1), index: LogIndex(rawValue: index)), kind: .command, data: data)
    }
}

extension String {
    var bytes: [UInt8] { [UInt8](utf8) }
}

extension [UInt8] {
    func raw<E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> Void) throws(E) {
        try withUnsafeBufferPointer { bytes throws(E) in try body(UnsafeRawBufferPointer(bytes)) }
    }
}
