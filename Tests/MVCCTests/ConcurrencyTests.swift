import Dispatch
import Glibc
import StrakeMVCC
import StrakeModel
import StrakeSeededGenerator
import StrakeTables
import StrakeTemporaryDirectory
import Synchronization
import Testing

/// Content that follows from the revision alone, so that any thread can tell what a read must find.
private enum Pattern {
    static let keyCount: Int64 = 40

    static func key(of main: Int64) -> [UInt8] { "key \(main % keyCount + 100)".bytes }

    static func isDelete(_ main: Int64) -> Bool { main > keyCount + 1 && main % 7 == 0 }

    static func value(of main: Int64) -> [UInt8] {
        "value \(main)".bytes + [UInt8](repeating: UInt8(main % 251), count: Int(main % 97))
    }

    /// The key that revision `main` changed, as it is then.
    static func keyValue(changedAt main: Int64) -> KeyValue? {
        if isDelete(main) { return nil }
        var version: Int64 = 1
        var create = main
        while create - keyCount > 1, !isDelete(create - keyCount) {
            create -= keyCount
            version += 1
        }
        return KeyValue(
            key: key(of: main), createRevision: create, modRevision: main, version: version, value: value(of: main))
    }

    /// All keys at a revision, in order.
    static func state(at main: Int64) -> [KeyValue] {
        (max(2, main - keyCount + 1)...main).compactMap { keyValue(changedAt: $0) }.sorted { $0.key.precedes($1.key) }
    }
}

/// What the threads of the test share.
private final class Shared: Sendable {
    /// Set by the writer once the store is open.
    let access = Mutex<(reader: Reader, compactor: Compactor)?>(nil)
    /// On its way to the checkpoint thread, and back.
    let frozen = Mutex<CheckpointWork?>(nil)
    let written = Mutex<CheckpointWork?>(nil)
    let isOver = Atomic<Bool>(false)
    let readCount = Atomic<Int>(0)
    let checkpointCount = Atomic<Int>(0)
    let compactionCount = Atomic<Int>(0)
    private let failure = Mutex<String?>(nil)

    var firstFailure: String? { failure.withLock { $0 } }

    func fail(_ text: String) {
        failure.withLock { $0 = $0 ?? text }
        isOver.store(true, ordering: .relaxed)
    }

    func waitForAccess() -> (reader: Reader, compactor: Compactor) {
        while true {
            if let access = access.withLock({ $0 }) { return access }
            sched_yield()
        }
    }
}

struct ConcurrencyTests {
    private static let readsPerThread = 2_000
    /// Checkpoints, and slices of compactions, that the reads must have gone beside.
    private static let rewritesMin = 11
    /// The writer goes on until there were enough of all, but not for ever.
    private static let revisionMax: Int64 = 3_000_000

    @Test func `every view is exact while the store is written, checkpointed and compacted`() throws {
        let directory = TemporaryDirectory()
        let tables = try StoreTables(directory: directory.path)
        let shared = Shared()
        let group = DispatchGroup()
        let roles: [(String, @Sendable () throws -> Void)] = [
            ("writer", { try Self.write(tables, shared) }), ("checkpoint", { try Self.checkpoint(shared) }),
            ("reader 1", { try Self.read(shared, seed: 1) }), ("reader 2", { try Self.read(shared, seed: 2) }),
        ]
        for (name, role) in roles {
            DispatchQueue(label: name).async(group: group) {
                do { try role() } catch { shared.fail("\(name): \(error)") }
            }
        }
        group.wait()
        #expect(shared.firstFailure == nil)
        #expect(shared.readCount.load(ordering: .relaxed) >= 2 * Self.readsPerThread)
        #expect(shared.checkpointCount.load(ordering: .relaxed) >= Self.rewritesMin)
        #expect(shared.compactionCount.load(ordering: .relaxed) >= Self.rewritesMin)
    }

    private static func isEnough(_ shared: Shared) -> Bool {
        shared.readCount.load(ordering: .relaxed) >= 2 * readsPerThread
            && shared.checkpointCount.load(ordering: .relaxed) >= rewritesMin
            && shared.compactionCount.load(ordering: .relaxed) >= rewritesMin
    }

    /// The apply role: writes until enough was read beside enough checkpoints.
    private static func write(_ tables: StoreTables, _ shared: Shared) throws {
        var store = try RevisionStore(tables: tables)
        shared.access.withLock { [reader = store.reader, compactor = store.compactor] in $0 = (reader, compactor) }
        while !isEnough(shared), store.revision < revisionMax {
            if shared.isOver.load(ordering: .relaxed) { return }
            for _ in 0..<5 {
                let main = store.revision + 1
                let key = Pattern.key(of: main)
                if Pattern.isDelete(main) {
                    _ = try store.delete(DeleteRangeRequest(range: .key(key)))
                } else {
                    _ = try store.put(PutRequest(key: key, value: Pattern.value(of: main))) { _ in true }
                }
            }
            if store.revision % 700 < 5, store.revision - 500 > store.compactRevision {
                try store.compact(through: store.revision - 500)
            }
            store.publish()
            if let work = shared.written.withLock({ $0.take() }) { store.finish(work) }
            if !store.isCheckpointing, store.revision % 300 < 5 {
                let work = store.freeze(appliedIndex: UInt64(store.revision), appliedTerm: 1, stateChanges: [])
                shared.frozen.withLock { $0 = work }
            }
            sched_yield()
        }
        shared.isOver.store(true, ordering: .relaxed)
    }

    private static func checkpoint(_ shared: Shared) throws {
        let compactor = shared.waitForAccess().compactor
        while !shared.isOver.load(ordering: .relaxed) {
            if let work = shared.frozen.withLock({ $0.take() }) {
                var limits = CheckpointLimits()
                limits.pagesMax = 100
                try work.run(limits: limits)
                shared.checkpointCount.add(1, ordering: .relaxed)
                shared.written.withLock { $0 = work }
            }
            if try compactor.runSlice(eventsMax: 100).progress == .unfinished {
                shared.compactionCount.add(1, ordering: .relaxed)
            }
            sched_yield()
        }
    }

    /// Reads at random revisions, whole and in slices.
    private static func read(_ shared: Shared, seed: UInt64) throws {
        let reader = shared.waitForAccess().reader
        var generator = SeededGenerator(seed: seed)
        while !shared.isOver.load(ordering: .relaxed) {
            let newest = reader.revision
            guard newest > 2 else { continue }
            let main = Int64.random(in: max(reader.compactRevision, 2)...newest, using: &generator)
            do throws(MVCCError) {
                try readSlices(reader, at: main, budget: Int.random(in: 100...3_000, using: &generator), shared)
                try readNewest(reader, replayFrom: main, shared)
                shared.readCount.add(1, ordering: .relaxed)
            } catch {
                // Compacted between the choice and the read.
                guard case .refused(.compacted) = error else { throw error }
            }
        }
    }

    private static func readSlices(
        _ reader: Reader, at main: Int64, budget: Int, _ shared: Shared
    ) throws(MVCCError) {
        var request = RangeRequest(range: .all)
        request.revision = main
        var plan = try reader.withView { view throws(MVCCError) in try view.plan(request) { _ in 1 } }
        var found: [KeyValue] = []
        var isDone = false
        while !isDone {
            isDone = try reader.withView { view throws(MVCCError) in
                try view.next(&plan, byteBudget: budget) { lent in
                    found.append(
                        KeyValue(
                            key: [UInt8](lent.key), createRevision: lent.fields.createRevision,
                            modRevision: lent.fields.modRevision, version: lent.fields.version,
                            value: [UInt8](lent.value)))
                }
            }
            sched_yield()
        }
        if found != Pattern.state(at: main) { shared.fail("in slices at \(main): \(found.count) keys") }
    }

    private static func readNewest(_ reader: Reader, replayFrom main: Int64, _ shared: Shared) throws(MVCCError) {
        try reader.withView { view throws(MVCCError) in
            let found = try view.range(RangeRequest(range: .all)).keyValues
            if found != Pattern.state(at: view.revision) { shared.fail("newest at \(view.revision)") }
            let one = try view.keyValue(Pattern.key(of: main), at: main)
            if one != Pattern.keyValue(changedAt: main) { shared.fail("one key at \(main)") }
            var next = max(main, view.compactRevision)
            let rest = try view.events(from: Revision(main: next), through: .max, byteBudget: .max) { event in
                let expected =
                    Pattern.keyValue(changedAt: next) ?? KeyValue(key: Pattern.key(of: next), modRevision: next)
                if event.keyValue != expected { shared.fail("replay at \(next)") }
                next += 1
            }
            if rest != nil || next != view.revision + 1 { shared.fail("replay ends at \(next)") }
        }
    }
}
