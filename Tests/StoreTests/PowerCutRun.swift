import StrakeMVCC
import StrakeModel
import StrakePowerCut
import StrakeSeededGenerator
import StrakeStore
import Synchronization
import Testing

/// A recorded run of a whole store, and the judgement of what a disk held of it after a cut.
struct PowerCutRun {
    /// What the store was doing at a moment.
    enum Kind: CaseIterable {
        /// Writing a layer to LMDB.
        case checkpoint
        /// The same, with one revision of many keys in it.
        case hugeRevision
        /// Removing history that was compacted away.
        case compaction
    }

    enum Verdict: Int32 {
        case intact, refusedToStart, lostWrites, wrongState, doesNotGoOn
    }

    /// Keys that one delete takes.
    private static let hugeKeys = 1_500

    let recording: PowerCut
    /// What was proposed, in order: each command makes one revision, so a store at revision r holds the first r - 1.
    private var commands: [Command] = []
    /// Where the recording stood when the command's answer came.
    private var acknowledged: [Int] = []
    /// Where the recording stood before and after the deletes of many keys.
    private var hugeDeletes: [(proposed: Int, answered: Int)] = []
    /// The moments to cut at, by what is then going on.
    private(set) var moments: [Kind: [Range<Int>]] = [:]

    static func options(_ directory: String) -> StoreOptions {
        var options = StoreOptions(dataDirectory: directory)
        options.logSegmentBytes = 256 << 10
        options.retainedEntries = 50
        options.seed = 7
        return options
    }

    /// Puts, deletes of many keys, compactions and checkpoints in a random order.
    init(on directory: String, _ random: inout SeededGenerator) throws {
        // Which checkpoint is the next, as of each write.
        let shared = Shared()
        recording = PowerCut(directory: directory) { shared.checkpoints }
        let running = try RunningStore(opening: Self.options(directory))
        shared.set(running.store.metrics)
        let client = Client(running.store)
        for step in 0..<60 {
            if step == 20 || step == 40 { deleteManyKeys(running.store, client) }
            var batch: [Command] = []
            for _ in 0..<Int(random.next() % 40) + 1 {
                let key = Array("key\(random.next() % 300)".utf8)
                let value = [UInt8](
                    repeating: UInt8(truncatingIfNeeded: random.next()), count: Int(random.next() % 3_000))
                batch.append(.put(PutRequest(key: key, value: value)))
            }
            // A delete of something that is there, so that it makes a revision.
            if case .put(let put) = batch[0], random.next() % 4 == 0 {
                batch.append(.deleteRange(DeleteRangeRequest(range: KeyRange(lower: put.key, upper: .unbounded))))
            }
            run(batch, client)
            switch random.next() % 6 {
            case 0: running.store.requestCheckpoint()
            case 1:
                let revision = running.store.reader.revision - Int64(random.next() % 20)
                _ = client.run(.compact(revision: revision, physical: random.next() % 2 == 0))
            default: break
            }
        }
        running.close()
        recording.stop()
        findMoments(checkpoints: shared.checkpoints)
    }

    private mutating func run(_ batch: [Command], _ client: Client) {
        let results = client.run(batch)
        #expect(results.allSatisfy { $0.error == nil })
        commands += batch
        acknowledged += batch.map { _ in recording.position }
    }

    private mutating func deleteManyKeys(_ store: Store, _ client: Client) {
        run((0..<Self.hugeKeys).map { .put(PutRequest(key: Array("huge/\($0)".utf8), value: [1])) }, client)
        let proposed = recording.position
        let range = KeyRange(key: Array("huge/".utf8), rangeEnd: Array("huge0".utf8))
        run([.deleteRange(DeleteRangeRequest(range: range))], client)
        hugeDeletes.append((proposed, recording.position))
        store.requestCheckpoint()
    }
}

/// The gauges of a store that does not exist yet when its recording begins.
private final class Shared: Sendable {
    private let gauges: Mutex<StoreGauges?>

    init() { gauges = Mutex(nil) }

    func set(_ new: StoreGauges) { gauges.withLock { $0 = new } }

    var checkpoints: Int { gauges.withLock { Int($0?.checkpoints.load(ordering: .relaxed) ?? 0) } }
}

// MARK: What went on when

extension PowerCutRun {
    /// An LMDB transaction: its pages, a sync, and the meta page, which is durable when it is written.
    private struct Transaction {
        /// Cuts after the first page and before the meta page is whole.
        var middle: Range<Int>
        /// Checkpoints that had ended before it.
        var checkpointsBefore: Int
    }

    private mutating func findMoments(checkpoints: Int) {
        let transactions = transactions()
        for (index, transaction) in transactions.enumerated() {
            // A checkpoint of this size is one transaction, and is counted before the next one begins.
            let next = index + 1 < transactions.count ? transactions[index + 1].checkpointsBefore : checkpoints
            let kind: Kind = next > transaction.checkpointsBefore ? .checkpoint : .compaction
            moments[kind, default: []].append(transaction.middle)
        }
        for delete in hugeDeletes {
            let written = moments[.checkpoint]?.first { $0.lowerBound > delete.proposed }
            // One that began before the answer came may have begun before the delete was applied.
            if let written, written.lowerBound > delete.answered {
                moments[.hugeRevision, default: []].append(written)
            }
        }
    }

    private func transactions() -> [Transaction] {
        var transactions: [Transaction] = []
        var first: PowerCut.Write?
        for write in recording.writes(to: "store/data.mdb") {
            if !write.isDurable {
                first = first ?? write
            } else if let begun = first {
                transactions.append(
                    Transaction(middle: begun.position + 1..<write.position + 1, checkpointsBefore: begun.note))
                first = nil
            }
        }
        return transactions
    }

    /// What was going on at a moment.
    func kinds(at position: Int) -> [Kind] {
        Kind.allCases.filter { moments[$0]?.contains { $0.contains(position) } ?? false }
    }
}

// MARK: Judging

extension PowerCutRun {
    /// Whether every write acknowledged at `position` is in the directory, nothing else is, and the store goes on.
    func verdict(on directory: String, at position: Int) -> Verdict {
        let running: RunningStore
        do throws(StoreStartError) {
            running = try RunningStore(opening: Self.options(directory))
        } catch {
            return .refusedToStart
        }
        defer { running.close() }
        let held = Int(running.store.reader.revision) - 1
        guard held >= acknowledged.count(where: { $0 <= position }) else { return .lostWrites }
        guard held <= commands.count, isState(after: held, running.store) else { return .wrongState }
        return Client(running.store).put("after", "the cut").revision == Int64(held) + 2 ? .intact : .doesNotGoOn
    }

    private func isState(after held: Int, _ store: Store) -> Bool {
        var model: [[UInt8]: (value: [UInt8], revision: Int64)] = [:]
        for (index, command) in commands.prefix(held).enumerated() {
            switch command {
            case .put(let put): model[put.key] = (put.value, Int64(index) + 2)
            case .deleteRange(let delete): model = model.filter { !delete.range.contains($0.key) }
            default: preconditionFailure("no such command is proposed: \(command)")
            }
        }
        let found = try? store.reader.withView { view throws(MVCCError) in try view.range(RangeRequest(range: .all)) }
        guard let found, found.keyValues.count == model.count else { return false }
        return found.keyValues.allSatisfy { keyValue in
            model[keyValue.key].map { $0.value == keyValue.value && $0.revision == keyValue.modRevision } ?? false
        }
    }
}
