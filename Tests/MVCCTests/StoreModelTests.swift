import StrakeLMDB
import StrakeMVCC
import StrakeModel
import StrakeTables
import StrakeTemporaryDirectory
import Testing

/// A real store beside the reference, and the log that both were fed.
private final class Pair {
    let directory = TemporaryDirectory()
    let tables: StoreTables
    var store: RevisionStore
    var reference: ReferenceStore
    var requests: RandomRequests
    /// With what each command answered, and the revisions after it.
    var log: [(command: TestCommand, answer: TestAnswer, revision: Int64, compactRevision: Int64)] = []
    /// The store's digest after each command, as it was when that was first applied.
    var digests: [UInt64] = []
    var audit: StoreAudit?
    var audits = 0
    /// Commands that the store has applied; fewer than the log's while it catches up after a crash.
    var applied = 0
    var work: CheckpointWork?
    var crashes = 0
    /// Transactions that only read.
    var comparedTxns = (answered: 0, refused: 0)

    init(seed: UInt64) throws {
        tables = try StoreTables(directory: directory.path)
        store = try RevisionStore(tables: tables)
        requests = RandomRequests(seed: seed)
        reference = ReferenceStore(leases: Set(requests.leases))
    }

    // MARK: Steps

    func applyNew() throws {
        let command = requests.command(compacted: reference.compactRevision, newest: reference.revision)
        let answer = reference.apply(command)
        log.append((command, answer, reference.revision, reference.compactRevision))
        try applyNext()
    }

    /// The next command of the log must answer as it did the first time.
    func applyNext() throws {
        let entry = log[applied]
        let answer = try answer(entry.command)
        if answer != entry.answer { Issue.record("\(entry.command): \(answer) is not \(entry.answer)") }
        applied += 1
        if store.revision != entry.revision { Issue.record("revision \(store.revision) is not \(entry.revision)") }
        if store.compactRevision != entry.compactRevision { Issue.record("compact revision \(store.compactRevision)") }
        let keyCount = reference.states[Int(store.revision)].count
        if store.keyCount != keyCount { Issue.record("\(store.keyCount) keys, not \(keyCount)") }
        if digests.count < applied { digests.append(store.digest) }
        if store.digest != digests[applied - 1] { Issue.record("another digest after command \(applied)") }
    }

    private func answer(_ command: TestCommand) throws -> TestAnswer {
        do throws(MVCCError) {
            let leases = reference.leases
            switch command {
            case .put(let request): return .put(try store.put(request) { leases.contains($0) })
            case .delete(let request): return .delete(try store.delete(request))
            case .txn(let request): return .txn(try store.txn(request) { leases.contains($0) })
            case .compact(let revision):
                try store.compact(through: revision)
                return .done
            case .revoke(let leases): return .revoked(try store.deleteKeys(attachedTo: leases))
            }
        } catch {
            guard case .refused(let refusal) = error else { throw error }
            return .refused(refusal)
        }
    }

    /// Publishes, and compares the changes that it returns.
    func publish() {
        let from = store.reader.revision + 1
        let published = store.publish().map(ReferenceEvent.init)
        let expected = reference.events[Int(from)..<max(Int(from), Int(store.revision) + 1)].joined()
        if published != Array(expected) { Issue.record("published \(published.count) changes, not \(expected.count)") }
    }

    /// One of: begin a checkpoint, write it whole, end it.
    func advanceCheckpoint() throws {
        publish()
        if let work {
            try work.run(limits: limits())
            store.finish(work)
            self.work = nil
        } else {
            work = store.freeze(appliedIndex: UInt64(applied), appliedTerm: 1, stateChanges: [])
        }
    }

    /// A slice of physical compaction.
    func compact() throws {
        let slice = try store.compactor.runSlice(eventsMax: 1 + requests.below(60))
        audit?.note(removed: slice.removed)
    }

    /// A slice of an audit, with anything between two of them.
    func advanceAudit(bytesMax: Int) throws {
        var running = try audit ?? StoreAudit(store.compactor, eventsPerLookUp: 1)
        audit = running
        switch try running.runSlice(bytesMax: bytesMax).progress {
        case .unfinished: audit = running
        case .historyDiffers, .leaseKeysDiffer:
            Issue.record("what was read is not what was applied")
            audit = nil
        case .sound:
            audits += 1
            audit = nil
        }
    }

    private func limits() -> CheckpointLimits {
        var limits = CheckpointLimits()
        if requests.chance(50) { limits.pagesMax = 1 + requests.below(20) }
        return limits
    }

    /// Stops in the middle of a checkpoint, if one is going on, and starts again from the file.
    func crash() throws {
        if let work {
            var limits = limits()
            limits.slicesMax = requests.below(20)
            try work.run(limits: limits)
        }
        work = nil
        audit = nil
        crashes += 1
        store = try RevisionStore(tables: tables)
        applied = Int(store.appliedIndex)
    }
}

extension ReferenceEvent {
    fileprivate init(_ event: MemoryEvent) {
        self.init(revision: event.revision, isTombstone: event.header.isTombstone, keyValue: event.keyValue)
    }

    fileprivate init(_ event: LentEvent) {
        self.init(revision: event.header.revision, isTombstone: event.header.isTombstone, keyValue: event.keyValue)
    }
}

// MARK: Comparisons

extension Pair {
    /// The reference as it was when it stood where the store's readers do now.
    private var published: (revision: Int64, compactRevision: Int64) {
        (store.reader.revision, store.reader.compactRevision)
    }

    private func expected(_ request: RangeRequest) -> Result<RangeResponse, StoreError> {
        let (revision, compactRevision) = published
        let main = request.revision <= 0 ? revision : request.revision
        if main > revision { return .failure(.futureRevision(requested: main, current: revision)) }
        if request.revision > 0, main < compactRevision {
            return .failure(.compacted(requested: main, compactRevision: compactRevision))
        }
        return .success(ReferenceStore.range(request, in: reference.states[Int(main)]))
    }

    func compareRange() throws {
        let request = requests.range(compacted: published.compactRevision, newest: published.revision)
        let expected = expected(request)
        let whole: Result<RangeResponse, StoreError>
        let sliced: Result<RangeResponse, StoreError>
        do throws(MVCCError) {
            whole = .success(try store.reader.withView { view throws(MVCCError) in try view.range(request) })
            sliced = .success(try slices(request))
        } catch {
            guard case .refused(let refusal) = error else { throw error }
            if .failure(refusal) != expected { Issue.record("\(request): \(refusal) is not \(expected)") }
            return
        }
        if whole != expected { Issue.record("\(request): \(whole) is not \(expected)") }
        if sliced != expected { Issue.record("\(request): in slices \(sliced) is not \(expected)") }
    }

    /// One that only reads answers the same when it is read as when it is applied.
    func compareTxn() throws {
        publish()
        let request = requests.readOnlyTxn(compacted: published.compactRevision, newest: published.revision)
        let applied = try answer(.txn(request))
        let read: TestAnswer
        do throws(MVCCError) {
            read = .txn(try store.reader.withView { view throws(MVCCError) in try view.txn(request, bytesMax: .max) })
        } catch {
            guard case .refused(let refusal) = error else { throw error }
            read = .refused(refusal)
        }
        if read != applied { Issue.record("\(request): read \(read) is not \(applied)") }
        if self.applied == log.count {
            let expected = reference.apply(.txn(request))
            if read != expected { Issue.record("\(request): read \(read) is not \(expected)") }
        }
        if case .txn = read { comparedTxns.answered += 1 } else { comparedTxns.refused += 1 }
    }

    private func slices(_ request: RangeRequest) throws(MVCCError) -> RangeResponse {
        let reader = store.reader
        var plan = try reader.withView { view throws(MVCCError) in
            try view.plan(request) { 3 * $0.keyCount + 5 * $0.valueCount + Int($0.version) }
        }
        var response = RangeResponse(more: plan.more, count: plan.count)
        var bytes = 0
        var isDone = false
        while !isDone {
            let keysMax = requests.chance(50) ? 1 + requests.below(4) : .max
            let before = response.keyValues.count
            isDone = try reader.withView { view throws(MVCCError) in
                try view.next(&plan, keysMax: keysMax, byteBudget: 1 + requests.below(400)) { lent in
                    let fields = lent.fields
                    bytes += 3 * lent.key.count + 5 * lent.value.count + Int(fields.version)
                    response.keyValues.append(
                        KeyValue(
                            key: [UInt8](lent.key), createRevision: fields.createRevision,
                            modRevision: fields.modRevision, version: fields.version, value: [UInt8](lent.value),
                            lease: fields.lease))
                }
            }
            if response.keyValues.count - before > keysMax { Issue.record("more than \(keysMax) keys in a slice") }
        }
        if plan.bytes != bytes { Issue.record("planned \(plan.bytes) bytes, read \(bytes)") }
        if plan.returned != response.keyValues.count { Issue.record("planned \(plan.returned) keys") }
        return response
    }

    /// Every state that can be read.
    func compareAllRevisions() throws {
        let (revision, compactRevision) = published
        try store.reader.withView { view throws(MVCCError) in
            for main in max(compactRevision, 1)...revision {
                var request = RangeRequest(range: .all)
                request.revision = main
                let found = try view.range(request).keyValues
                let expected = ReferenceStore.sorted(reference.states[Int(main)], in: .all)
                if found != expected { Issue.record("at \(main): \(found) is not \(expected)") }
            }
        }
    }

    func compareReplay() throws {
        let (revision, compactRevision) = published
        let from = Int64.random(in: max(compactRevision, 1)...revision, using: &requests.generator)
        let through = requests.chance(70) ? Int64.max : Int64.random(in: from...revision, using: &requests.generator)
        let budget = 1 + requests.below(10_000)
        var position: Revision? = Revision(main: from)
        var found: [ReferenceEvent] = []
        while let start = position {
            position = try store.reader.withView { view throws(MVCCError) in
                try view.events(from: start, through: through, byteBudget: budget) { found.append(ReferenceEvent($0)) }
            }
        }
        let expected = Array(reference.events[Int(from)...Int(min(through, revision))].joined())
        if found != expected { Issue.record("replay from \(from): \(found) is not \(expected)") }
        if applied == log.count { try comparePrevious(expected) }
    }

    /// The previous value of some events, when the reference stands where the store does.
    private func comparePrevious(_ events: [ReferenceEvent]) throws {
        guard published.revision == reference.revision, published.compactRevision == reference.compactRevision else {
            return
        }
        try store.reader.withView { view throws(MVCCError) in
            for event in events.prefix(50) {
                guard let record = try view.event(at: event.revision) else {
                    Issue.record("no event \(event.revision)")
                    continue
                }
                let found = try record.key.lent { key throws(MVCCError) in
                    try view.previous(of: record.header, key: key)
                }
                let expected = reference.previous(of: event)
                if found != expected {
                    Issue.record("before \(event): \(String(describing: found)) is not \(String(describing: expected))")
                }
            }
        }
    }

    func compareLeases() throws {
        let lease = requests.leases[requests.below(requests.leases.count)]
        let found = try store.reader.withView { view throws(MVCCError) in try view.keys(attachedTo: lease) }
        let expected = ReferenceStore.sorted(reference.states[Int(published.revision)], in: .all)
            .filter { $0.lease == lease }.map(\.key)
        if found != expected { Issue.record("lease \(lease.rawValue): \(found) is not \(expected)") }
    }

    func compareHash() throws {
        let (revision, compactRevision) = published
        guard compactRevision == reference.compactRevision else { return }
        let last = Int64.random(in: max(compactRevision, 1)...revision, using: &requests.generator)
        let expected = KVHash(
            hash: reference.hash(through: last), compactRevision: compactRevision, hashRevision: last)
        let found = try store.reader.hashKV(revision: last)
        if found != expected { Issue.record("\(found) is not \(expected)") }
    }
}

struct StoreModelTests {
    /// Each seed does this many steps, some 60 % of them requests.
    private static let stepCount = 6_000

    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
    func `the store answers as the reference does, through checkpoints, compactions and crashes`(seed: UInt64) throws {
        let pair = try Pair(seed: seed)
        for _ in 0..<Self.stepCount {
            switch pair.requests.below(1_000) {
            case 0..<600: if pair.applied < pair.log.count { try pair.applyNext() } else { try pair.applyNew() }
            case 600..<700: pair.publish()
            case 700..<820: try pair.compareRange()
            case 820..<850: try pair.compareTxn()
            case 850..<880: try pair.compareReplay()
            case 880..<900: try pair.compareLeases()
            case 900..<904: try pair.compareAllRevisions()
            case 904..<909: try pair.compareHash()
            case 909..<940: try pair.advanceCheckpoint()
            case 940..<970: try pair.compact()
            case 970..<997: try pair.advanceAudit(bytesMax: 1 + pair.requests.below(60_000))
            default: try pair.crash()
            }
        }
        while pair.applied < pair.log.count { try pair.applyNext() }
        pair.publish()
        try pair.compareAllRevisions()
        try pair.compareHash()
        try pair.advanceAudit(bytesMax: .max)
        #expect(pair.audits > 5)
        #expect(pair.crashes > 5)
        #expect(pair.comparedTxns.answered > 50 && pair.comparedTxns.refused > 5, "\(pair.comparedTxns)")
        #expect(pair.log.count > 1_000)
    }
}
