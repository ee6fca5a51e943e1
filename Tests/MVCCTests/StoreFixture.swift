import StrakeLMDB
import StrakeMVCC
import StrakeModel
import StrakeTables
import StrakeTemporaryDirectory

/// A store in a directory of its own, with the steps that tests take again and again.
final class StoreFixture {
    let directory = TemporaryDirectory()
    let tables: StoreTables
    var store: RevisionStore
    /// Leases that exist.
    var leases: Set<LeaseID> = []
    var appliedIndex: UInt64 = 0

    init() throws {
        tables = try StoreTables(directory: directory.path)
        store = try RevisionStore(tables: tables)
    }

    var reader: Reader { store.reader }

    // MARK: Requests

    @discardableResult
    func put(_ key: String, _ value: String = "v", lease: Int64 = 0, _ options: (inout PutRequest) -> Void = { _ in })
        throws(MVCCError) -> PutOutcome
    {
        var request = PutRequest(key: key.bytes, value: value.bytes, lease: LeaseID(rawValue: lease))
        options(&request)
        return try store.put(request) { self.leases.contains($0) }
    }

    @discardableResult
    func delete(_ key: String, to end: String = "") throws(MVCCError) -> DeleteRangeResponse {
        var request = DeleteRangeRequest(range: KeyRange(key: key.bytes, rangeEnd: end.bytes))
        request.wantsPrevious = true
        return try store.delete(request)
    }

    @discardableResult
    func txn(
        _ request: TxnRequest, answerBytesMax: Int = RevisionStore.txnAnswerBytesMax
    ) throws(MVCCError) -> TxnResponse {
        try store.txn(request, answerBytesMax: answerBytesMax) { self.leases.contains($0) }
    }

    /// What readers see of a range.
    func range(
        _ key: String, to end: String = "", at revision: Int64 = 0, _ options: (inout RangeRequest) -> Void = { _ in }
    ) throws(MVCCError) -> RangeResponse {
        var request = RangeRequest(range: KeyRange(key: key.bytes, rangeEnd: end.bytes))
        request.revision = revision
        options(&request)
        return try reader.withView { view throws(MVCCError) in try view.range(request) }
    }

    /// "key=value" for each key that readers see.
    func all(at revision: Int64 = 0) throws(MVCCError) -> [String] {
        try range("\0", to: "\0", at: revision).keyValues.map { "\($0.key.text)=\($0.value.text)" }
    }

    /// "main.sub put key" or "main.sub delete key" for each change from main revision `from` on.
    func changes(from: Int64) throws(MVCCError) -> [String] {
        var changes: [String] = []
        try reader.withView { view throws(MVCCError) in
            let rest = try view.events(from: Revision(main: from), through: .max, byteBudget: .max) { event in
                changes.append(
                    "\(event.header.revision) \(event.header.isTombstone ? "delete" : "put") \([UInt8](event.key).text)"
                )
            }
            assert(rest == nil)
        }
        return changes
    }

    // MARK: What `#expect` cannot ask a noncopyable store itself

    var revision: Int64 { store.revision }
    var compactRevision: Int64 { store.compactRevision }
    var keyCount: Int { store.keyCount }
    var activeBytes: Int { store.activeBytes }
    var layerBytes: Int { store.layerBytes }
    var isCheckpointing: Bool { store.isCheckpointing }
    var lastRequestCount: Int { store.lastRequestEvents.count }
    var position: (index: UInt64, term: UInt64) { (store.appliedIndex, store.appliedTerm) }

    /// The keys of the changes that became visible.
    @discardableResult
    func publish() -> [String] { store.publish().map { [UInt8]($0.key).text } }

    func compact(through revision: Int64) throws(MVCCError) { try store.compact(through: revision) }

    func keys(attachedTo lease: Int64) throws(MVCCError) -> [[UInt8]] {
        try store.keys(attachedTo: LeaseID(rawValue: lease))
    }

    func revoke(_ leases: Int64...) throws(MVCCError) -> Int {
        try store.deleteKeys(attachedTo: leases.map { LeaseID(rawValue: $0) })
    }

    /// What the next request would see.
    func applied(_ range: KeyRange) throws(MVCCError) -> RangeResponse { try store.range(RangeRequest(range: range)) }

    // MARK: Checkpoints

    func freeze(_ changes: [StateChange] = []) -> CheckpointWork? {
        store.publish()
        appliedIndex += 1
        return freeze(index: appliedIndex, stateChanges: changes)
    }

    func freeze(index: UInt64, term: UInt64 = 1, stateChanges: [StateChange]) -> CheckpointWork? {
        store.freeze(appliedIndex: index, appliedTerm: term, stateChanges: stateChanges)
    }

    func finish(_ work: CheckpointWork) { store.finish(work) }

    /// A whole checkpoint.
    func checkpoint(_ changes: [StateChange] = []) throws {
        guard let work = freeze(changes) else { return }
        try work.run()
        store.finish(work)
    }

    /// Physical compaction as far as it goes.
    @discardableResult
    func compactPhysically(
        eventsMax: Int = 2_000
    ) throws -> (slices: Int, last: Compactor.Progress, removedCount: Int) {
        var slices = 1
        var removedCount = 0
        while true {
            let slice = try store.compactor.runSlice(eventsMax: eventsMax)
            removedCount += slice.removedCount
            if slice.progress != .unfinished { return (slices, slice.progress, removedCount) }
            slices += 1
        }
    }

    /// The store as it is after a crash: what was not in the file is gone.
    func crash() throws {
        store = try RevisionStore(tables: tables)
        appliedIndex = store.appliedIndex
    }

    /// Rows of the file: events, keys, lease rows.
    func rows() throws -> (history: Int, current: Int) {
        try tables.environment.read { txn throws(TableError) in
            var events = 0
            var history = try tables.history.cursor(in: txn)
            while try history.next() { events += 1 }
            var keys = 0
            var current = try tables.current.cursor(in: txn)
            while try current.next() { keys += 1 }
            return (events, keys)
        }
    }
}

extension String {
    var bytes: [UInt8] { [UInt8](utf8) }
}

extension [UInt8] {
    var text: String { String(decoding: self, as: UTF8.self) }
}
